// Our own reading of a request must take only what every HTTP parser reads the same way, because another parser may
// stand in front of us. Each way of being odd has a row: it must be declined, not understood.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { readRequestHead } from '../../src/protocol/requestHead.js'
import { requestOf, SAMPLE_KEY, upgradeRequest } from '../support/httpRequests.js'

function headers(text: string): Record<string, string | undefined> {
  const head = readRequestHead(text)
  assert.ok(head !== undefined, 'it was declined')
  return { ...head.request.headers }
}

function declined(name: string, text: string): void {
  test(name, () => assert.equal(readRequestHead(text), undefined))
}

describe('what it takes', () => {
  test('a plain upgrade request, all of it', () => {
    const text = upgradeRequest()
    const head = readRequestHead(text)
    assert.equal(head?.length, text.length)
    assert.deepEqual(
      { ...head?.request, headers: { ...head?.request.headers } },
      {
        method: 'GET',
        target: '/chat?room=1',
        httpVersion: '1.1',
        headers: {
          host: '127.0.0.1',
          upgrade: 'websocket',
          connection: 'Upgrade',
          'sec-websocket-key': SAMPLE_KEY,
          'sec-websocket-version': '13',
        },
        repeated: [],
      },
    )
  })

  test('the bytes after it are not looked at', () => {
    const text = upgradeRequest()
    for (const rest of ['\0', '\r\n', 'GET / HTTP/1.1\r\n\r\n', '\x82\x80\xff\xfe\xfd\xfc', text]) {
      assert.equal(readRequestHead(text + rest)?.length, text.length)
    }
  })

  test('no headers at all', () => assert.deepEqual(headers('GET / HTTP/1.1\r\n\r\n'), {}))

  test('every visible character in the target', () => {
    let target = '/'
    for (let code = 0x21; code < 0x7f; code++) target += String.fromCharCode(code)
    assert.equal(readRequestHead(requestOf([], `GET ${target} HTTP/1.1`))?.request.target, target)
  })

  test('every character of a token in a name, in lower case', () => {
    const name = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
    assert.deepEqual(headers(requestOf([`${name}: v`])), { [name.toLowerCase()]: 'v' })
  })

  test('values are trimmed of blanks at both ends, and keep those inside', () => {
    const lines = ['a:', 'b: ', 'c:x', 'd: x', 'e:  x  ', 'f: x  y z ', 'g:   ', 'h: :']
    const expected = { a: '', b: '', c: 'x', d: 'x', e: 'x', f: 'x  y z', g: '', h: ':' }
    assert.deepEqual(headers(requestOf(lines)), expected)
  })

  test('tabs, long heads and many headers are left to node:http', () => {
    assert.equal(readRequestHead(requestOf(['a:\tx'])), undefined)
    assert.ok(readRequestHead(requestOf([`a: ${'x'.repeat(8000)}`])) !== undefined)
    assert.equal(readRequestHead(requestOf([`a: ${'x'.repeat(8200)}`])), undefined)
    const many = (count: number): string => requestOf(Array.from({ length: count }, (_, at) => `a${at}: x`))
    assert.ok(readRequestHead(many(60)) !== undefined)
    assert.equal(readRequestHead(many(70)), undefined)
  })

  test('names from the prototype of objects are names like others', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']
    const head = readRequestHead(requestOf(names.map((name, at) => `${name}: ${at}`)))
    assert.ok(head !== undefined)
    assert.equal(Object.getPrototypeOf(head.request.headers), null)
    names.forEach((name, at) => {
      assert.equal(head.request.headers[name.toLowerCase()], String(at))
    })
    assert.equal(Reflect.get({}, 'toString'), Object.prototype.toString)
  })

  test('a header that is missing is undefined, also where objects have something by that name', () => {
    const head = readRequestHead(upgradeRequest())
    for (const name of ['__proto__', 'constructor', 'tostring', 'x'])
      assert.equal(head?.request.headers[name], undefined)
  })
})

describe('what it declines in the request line', () => {
  for (const line of [
    '',
    'GET',
    'GET / ',
    'GET /',
    'GET / HTTP/1.0',
    'GET / HTTP/0.9',
    'GET / HTTP/2.0',
    'GET / HTTP/1.1 ',
    'GET / HTTP/1.10',
    'GET / http/1.1',
    'GET / HTTP/1,1',
    'get / HTTP/1.1',
    'Get / HTTP/1.1',
    'POST / HTTP/1.1',
    'HEAD / HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'CONNECT h:1 HTTP/1.1',
    'GETS / HTTP/1.1',
    ' GET / HTTP/1.1',
    '\r\nGET / HTTP/1.1',
    'GET\t/ HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET /  HTTP/1.1',
    'GET / a HTTP/1.1',
    'GET /\ta HTTP/1.1',
    'GET HTTP/1.1',
    'GET  HTTP/1.1',
    'GET * HTTP/1.1',
    'GET a HTTP/1.1',
    'GET ?a HTTP/1.1',
    'GET http://h/ HTTP/1.1',
    'GET //\x7f HTTP/1.1',
    'GET /\0 HTTP/1.1',
    'GET /\xe9 HTTP/1.1',
    'GET /\u0120 HTTP/1.1',
    'GET /\r HTTP/1.1',
    'GET /\n HTTP/1.1',
    'GET / HTTP/1.1\r',
    'x\nGET / HTTP/1.1',
    'x\r\nGET / HTTP/1.1',
  ]) {
    declined(inspect(line), requestOf(['Host: x'], line))
  }
})

describe('what it declines in the headers', () => {
  for (const line of [
    'X : blank before the colon',
    'X\t: tab before the colon',
    ' X: blank before the name',
    ': no name',
    'no colon',
    'X Y: blank in the name',
    'X(: v',
    'X\xe9: v',
    'X\0: v',
    'X: \0',
    'X: \x01',
    'X: \x0b',
    'X: \x1f',
    'X: \x7f',
    'X: \x80',
    'X: \xff',
    'X: a\rb',
    'X: a\nb',
    'X: a\nY: b',
    'X: a\n',
    'X: a\r',
    'X: a\r\r\nY: b',
    'X: a\r\n folded',
    'X: a\r\n\tfolded',
    'X: a\r\n ',
    'X: \r\n \r\n folded',
    '\r',
    '\n',
    'host: again',
    'HOST: again',
    'Host:',
  ]) {
    declined(inspect(line), requestOf(['Host: x', line]))
    declined(`${inspect(line)}, and more behind it`, requestOf(['Host: x', line, 'Z: z']))
  }

  declined('a header that is there twice, first without a value', requestOf(['X:', 'x: a']))
  declined('a prototype name that is there twice', requestOf(['__proto__: a', '__PROTO__: a']))

  for (const name of [
    'Content-Length',
    'Transfer-Encoding',
    'Expect',
    'TE',
    'Trailer',
    'Proxy-Connection',
    'HTTP2-Settings',
  ]) {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      const value = name === 'Content-Length' ? '1' : '0'
      declined(
        `${spelling}: it changes how long the request is, or what it waits for`,
        requestOf([`${spelling}: ${value}`]),
      )
      declined(`${spelling}, empty`, upgradeRequest({ [spelling]: '' }))
    }
  }
})

describe('what it declines at the end', () => {
  const text = upgradeRequest()

  test('a request cut at any byte', () => {
    for (let length = 0; length < text.length; length++) {
      assert.equal(readRequestHead(text.slice(0, length)), undefined, `${length} bytes`)
    }
  })

  test('a request cut at any byte, with something else after it', () => {
    for (let length = 0; length < text.length; length++) {
      for (const rest of ['\0', '\x81\x80', '\xff'.repeat(10)]) {
        assert.equal(readRequestHead(text.slice(0, length) + rest), undefined, `${length} bytes`)
      }
    }
  })

  const open = text.slice(0, -2)
  for (const end of ['\n', '\r', '\rX', '\r\r\n', '\n\r\n', ' \r\n', '\0\r\n']) {
    declined(`${inspect(end)} instead of the empty line`, open + end)
  }
  for (const end of ['\n\n', '\n\r\n', '\r\n\n', '\r\r', '\r\n\r']) {
    declined(`${inspect(end)} at the end`, text.slice(0, -4) + end)
  }

  declined('bare line feeds everywhere', text.replaceAll('\r\n', '\n'))
  declined('bare carriage returns everywhere', text.replaceAll('\r\n', '\r'))
})
