// The opening handshake as a server must keep it (RFC 6455, sections 4.2 and 4.4): right requests in all their forms, and
// wrong ones.
import { Buffer } from 'node:buffer'
import type { Draft, HeadChange, HeaderChange, Step } from '../case.js'
import { group, type Row, refused, request, send, text, textBack } from '../vocabulary.js'

const opens: readonly Step[] = [{ step: 'opened' }, send(text('opened')), textBack('opened')]

const changed = (headers: HeaderChange): Step => request({ headers })

/** A request that is accepted, however it is written. */
function accepted(title: string, change: HeadChange): Row {
  return [title, [request(change), ...opens]]
}

const forms = group(
  {
    section: '4.2.1',
    rule: 'Names of headers and the words of Upgrade and Connection are the same in any case.',
    side: 'server',
    bare: true,
  },
  [
    accepted('a plain request', {}),
    accepted('names of headers in lower case', {
      headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' },
    }),
    accepted('names of headers in upper case', {
      headers: { UPGRADE: 'websocket', CONNECTION: 'Upgrade', 'SEC-WEBSOCKET-VERSION': '13' },
    }),
    accepted('Upgrade: WebSocket', { headers: { Upgrade: 'WebSocket' } }),
    accepted('Upgrade: WEBSOCKET', { headers: { Upgrade: 'WEBSOCKET' } }),
    accepted('Connection: upgrade', { headers: { Connection: 'upgrade' } }),
    accepted('Connection: UPGRADE', { headers: { Connection: 'UPGRADE' } }),
    accepted('Connection: keep-alive, Upgrade', { headers: { Connection: 'keep-alive, Upgrade' } }),
    accepted('Connection: Upgrade, keep-alive', { headers: { Connection: 'Upgrade, keep-alive' } }),
    accepted('Connection: keep-alive,Upgrade without a blank', { headers: { Connection: 'keep-alive,Upgrade' } }),
    accepted('blanks around values', { headers: { Upgrade: '  websocket  ', 'Sec-WebSocket-Version': ' 13 ' } }),
    accepted('no blank behind the colons', { colon: ':' }),
    accepted('a tab behind the colons', { colon: ':\t' }),
    accepted('headers that mean nothing here', {
      headers: { 'X-One': '1', 'User-Agent': 'conform', Pragma: 'no-cache' },
    }),
    accepted('an Origin', { headers: { Origin: 'http://example.com' } }),
    accepted('cookies', { headers: { Cookie: 'a=b; c=d' } }),
    accepted('a header of 4,000 bytes', { headers: { 'X-Long': 'x'.repeat(4000) } }),
    accepted('50 headers', {
      headers: Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`X-${at}`, `${at}`])),
    }),
  ],
)

const several = group(
  { section: '4.2.1', rule: 'A header that is a list may come in several lines.', side: 'server', bare: true },
  [
    accepted('two Connection headers', { headers: { Connection: ['keep-alive', 'Upgrade'] } }),
    accepted('two Sec-WebSocket-Extensions headers', {
      headers: { 'Sec-WebSocket-Extensions': ['x-one', 'x-two'] },
    }),
  ],
)

const cutUp = group(
  {
    section: '4.2.1',
    rule: 'A request may arrive in any pieces, and frames may follow it at once.',
    side: 'server',
    bare: true,
  },
  [
    ...[1, 2, 7, 50].map(
      (pieces): Row => [`a request, ${pieces} bytes at a time`, [{ step: 'request', change: {}, pieces }, ...opens]],
    ),
    ['a text behind the request in one write', [request({}, [text('early')]), { step: 'opened' }, textBack('early')]],
    [
      'three texts behind the request in one write',
      [request({}, [text('1'), text('2'), text('3')]), { step: 'opened' }, textBack('1'), textBack('2'), textBack('3')],
    ],
    [
      'a request with a text behind it, one byte at a time',
      [{ step: 'request', change: {}, pieces: 1, behind: [text('early')] }, { step: 'opened' }, textBack('early')],
    ],
  ],
)

const offers = group(
  {
    section: '4.2.2',
    rule: 'A server names only an extension or a subprotocol that was offered.',
    side: 'server',
    bare: true,
  },
  [
    ['no extension is offered', [request({}), { step: 'opened', answer: 'plain' }]],
    ['an unknown extension is offered', [changed({ 'Sec-WebSocket-Extensions': 'x-unknown' }), { step: 'opened' }]],
    [
      'an unknown extension with parameters',
      [changed({ 'Sec-WebSocket-Extensions': 'x-unknown; a=1; b="2"' }), { step: 'opened' }],
    ],
    ['no subprotocol is offered', [request({}), { step: 'opened', answer: 'noProtocol' }]],
    [
      'an empty list of extensions',
      [changed({ 'Sec-WebSocket-Extensions': '' }), { step: 'opened' }],
      { level: 'should', section: '9.1' },
    ],
    [
      'extensions that break the grammar',
      [changed({ 'Sec-WebSocket-Extensions': ';;=,"' }), { step: 'opened' }],
      { level: 'may', section: '9.1' },
    ],
  ],
)

const VERSIONS = ['0', '7', '8', '12', '14', '25', '99', '255']

const versions = group(
  {
    section: '4.4',
    rule: 'A version that the server does not speak is refused with 426 and a Sec-WebSocket-Version of those that it does.',
    side: 'server',
    bare: true,
  },
  [
    ...VERSIONS.map(
      (version): Row => [
        `version ${version}`,
        [changed({ 'Sec-WebSocket-Version': version }), refused([426, 400], { 'Sec-WebSocket-Version': '13' })],
      ],
    ),
    ...['', 'abc', '-13', '13.0', '013', '1 3'].map(
      (version): Row => [
        `a version that is no number: ${JSON.stringify(version)}`,
        [changed({ 'Sec-WebSocket-Version': version }), refused([400, 426])],
        { section: '4.2.1' },
      ],
    ),
    ['no version', [changed({ 'Sec-WebSocket-Version': undefined }), refused([400, 426])], { section: '4.2.1' }],
  ],
)

const bad = (title: string, headers: HeaderChange, statuses = [400]): Row => [
  title,
  [changed(headers), refused(statuses)],
]

const KEY = Buffer.alloc(16, 7).toString('base64')

const missing = group(
  {
    section: '4.2.1',
    rule: 'A request that lacks what a handshake must have is no handshake, and is answered with an HTTP error.',
    side: 'server',
    bare: true,
  },
  [
    bad('no key', { 'Sec-WebSocket-Key': undefined }),
    bad('an empty key', { 'Sec-WebSocket-Key': '' }),
    bad('a key of 15 bytes', { 'Sec-WebSocket-Key': Buffer.alloc(15, 7).toString('base64') }),
    bad('a key of 17 bytes', { 'Sec-WebSocket-Key': Buffer.alloc(17, 7).toString('base64') }),
    bad('a key of 32 bytes', { 'Sec-WebSocket-Key': Buffer.alloc(32, 7).toString('base64') }),
    bad('a key that is no base64', { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }),
    bad('a key without its padding', { 'Sec-WebSocket-Key': KEY.slice(0, -2) }),
    bad('two keys', { 'Sec-WebSocket-Key': [KEY, KEY] }),
    bad('no Connection header', { Connection: undefined }, [400, 426, 404, 200]),
    bad('Connection: keep-alive', { Connection: 'keep-alive' }, [400, 426, 404, 200]),
    bad('Connection: upgraded', { Connection: 'upgraded' }, [400, 426, 404, 200]),
    bad('no Upgrade header', { Upgrade: undefined }, [400, 426, 404, 200]),
    bad('Upgrade: h2c', { Upgrade: 'h2c' }, [400, 426, 404, 200]),
    bad('Upgrade: websockets', { Upgrade: 'websockets' }, [400, 426, 404, 200]),
    bad('no Host header', { Host: undefined }),
    bad('two Host headers', { Host: ['one', 'two'] }),
  ],
)

const lines = group(
  {
    section: '4.2.1',
    rule: 'A handshake is a GET request of HTTP/1.1 or later.',
    side: 'server',
    bare: true,
  },
  [
    ...['POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE'].map(
      (method): Row => [
        `method ${method}`,
        [request({ line: `${method} {path} HTTP/1.1` }), refused([400, 404, 405, 426, 501, 200, 204])],
      ],
    ),
    ['HTTP/1.0', [request({ line: 'GET {path} HTTP/1.0' }), refused([400, 426, 505])]],
    ['HTTP/0.9', [request({ line: 'GET {path} HTTP/0.9' }), refused([400, 426, 505])]],
    ['a first line that is none', [request({ line: 'GET{path}HTTP/1.1' }), refused([400, 404, 405, 501, 505])]],
    ['a method in lower case', [request({ line: 'get {path} HTTP/1.1' }), refused([400, 404, 405, 501])]],
  ],
)

const smuggling = group(
  {
    section: '4.2.1',
    rule: 'What two readers of HTTP could take for two different requests is refused (RFC 9112, section 11.2).',
    side: 'server',
    bare: true,
  },
  [
    bad('a name with a blank before its colon', { 'Sec-WebSocket-Key ': KEY, 'Sec-WebSocket-Key': undefined }),
    bad('a header without a name', { '': 'nothing' }),
    ['a NUL in a value', [changed({ 'X-Nul': 'a\0b' }), refused([400])], { level: 'should' }],
    bad('Transfer-Encoding and Content-Length', { 'Transfer-Encoding': 'chunked', 'Content-Length': '4' }),
  ],
)

export const requests: readonly Draft[] = [
  ...forms,
  ...several,
  ...cutUp,
  ...offers,
  ...versions,
  ...missing,
  ...lines,
  ...smuggling,
]
