// Answers of `upgrade` that are none: to send them would break the protocol, or let a value end the header and begin
// another. Each is a mistake of the application's, told to it as a TypeError, and a 500 for the client.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Server } from '../../src/index.js'
import type { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { readAnswer } from '../../src/server/admission/upgradeAnswer.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { upgradeRequest } from '../support/httpRequests.js'

const protoHeader: unknown = JSON.parse('{"headers": {"__proto__": "x\\r\\ny"}}')

const wrong: Record<string, unknown> = {
  'a status of success': { status: 200 },
  'status 101': { status: 101 },
  'status 299': { status: 299 },
  'status 600': { status: 600 },
  'status 404.5': { status: 404.5 },
  'a status in words': { status: 'x' },
  'a status as a string with a line break': { status: '404 x\r\nX: y' },
  'status NaN': { status: Number.NaN },
  'status undefined': { status: undefined },
  'a body of bytes': { status: 404, body: new Uint8Array(3) },
  'a body of null': { status: 404, body: null },
  'a status under the name of node:http': { statusCode: 401 },
  'a status under another name': { code: 401, body: 'no' },
  'a body alone': { body: 'no' },
  'data beside a status under another name': { data: 1, statusCode: 401 },
  'data beside what is no answer': { data: 1, user: 'anna' },
  'a refusal with more': { status: 401, message: 'no' },
  'a refusal with data': { status: 401, data: 1 },
  'a status that stands as text': { status: '401' },
  null: null,
  'a Response': new Response('no', { status: 401 }),
  'a Response of success': new Response('yes'),
  'an Error': new Error('no'),
  'an Error with a status': Object.assign(new Error('no'), { status: 401 }),
  'an empty array': [],
  'a Map': new Map([['data', 1]]),
  'a Date': new Date(),
  'an object of a class': new (class User {
    readonly data = 1
  })(),
  true: true,
  false: false,
  'a number': 404,
  'a string': 'no',
  'a symbol': Symbol('x'),
  'a function': () => undefined,
  'a protocol that is not offered': { protocol: 'soap' },
  'a protocol in another case': { protocol: 'CHAT' },
  'a protocol that is two': { protocol: 'chat, superchat' },
  'a protocol with a line break': { protocol: 'chat\r\nX: y' },
  'a protocol that is no string': { protocol: 1 },
  'a protocol of an object': { protocol: '__proto__' },
  'headers of null': { headers: null },
  'a value of null': { headers: { X: null } },
  'headers of a string': { headers: 'X: y' },
  'headers as node:http has them raw': { headers: ['X', 'y'] },
  'a pair of three': { headers: [['X', 'y', 'z']] },
  'a pair without a value': { headers: [['X']] },
  'a pair with a value of a number': { headers: [['X', 1]] },
  'a Map with a name that is none': { headers: new Map([[1, 'y']]) },
  "a Map with the handshake's own": { headers: new Map([['Upgrade', 'y']]) },
  'a Map with a line break': { headers: new Map([['X', 'a\r\nb']]) },
  'a pair with the name of the prototype': { headers: [['__proto__', 'a\r\nb']] },
  'headers of a Date': { headers: new Date() },
  'a value of a number': { headers: { X: 1 } },
  'an array of numbers': { headers: { X: [1] } },
  'a name that is own, but like the prototype': protoHeader,
  'a getter that throws': {
    get data() {
      throw new TypeError('no data')
    },
  },
}

for (const value of ['a\r\nX: y', 'a\nX: y', 'a\rX', 'a\0', 'a\x7f', 'a\u0100', 'a\u{1f600}', 'a\u2028']) {
  wrong[`the value ${JSON.stringify(value)}`] = { headers: { X: value } }
  wrong[`the value ${JSON.stringify(value)} in an array`] = { headers: { X: ['good', value] } }
  wrong[`the value ${JSON.stringify(value)} in a refusal`] = { status: 404, headers: { X: value } }
}
for (const name of ['', 'a b', 'a:', 'a\r\nb', 'a\nb', 'a\0', 'caf\xe9', '(a)']) {
  wrong[`the name ${JSON.stringify(name)}`] = { headers: { [name]: 'x' } }
  wrong[`the name ${JSON.stringify(name)} in a refusal`] = { status: 404, headers: { [name]: 'x' } }
}
for (const name of [
  'Connection',
  'upgrade',
  'Sec-WebSocket-Accept',
  'SEC-WEBSOCKET-EXTENSIONS',
  'Sec-WebSocket-Protocol',
  'Content-Length',
  'Transfer-Encoding',
]) {
  wrong[`the handshake's own ${name}`] = { headers: { [name]: 'x' } }
  wrong[`the handshake's own ${name} in a refusal`] = { status: 404, headers: { [name]: 'x' } }
}

const request = upgradeRequest({ 'Sec-WebSocket-Protocol': 'chat, superchat' })

/** A server whose `upgrade` answers what the types forbid. */
async function answering(
  trial: Trial,
  answer: (request: UpgradeRequest) => unknown,
  told: unknown[],
): Promise<Server<unknown>> {
  const upgrade: unknown = answer
  const options = { upgrade, upgradeFailed: (_: UpgradeRequest, error: unknown) => void told.push(error) }
  return trial.serve<unknown>(options as { readonly upgradeFailed: (request: UpgradeRequest, error: unknown) => void })
}

describe('refused with 500, and told as a TypeError', () => {
  for (const timing of ['at once', 'promised']) {
    inEveryLane(`every wrong answer, ${timing}`, async (trial) => {
      const told: unknown[] = []
      let answer: unknown
      const server = await answering(trial, () => (timing === 'promised' ? Promise.resolve(answer) : answer), told)
      for (const [name, one] of Object.entries(wrong)) {
        answer = one
        told.length = 0
        const client = await trial.connect()
        client.write(request)
        const { status, head } = await client.response()
        assert.equal(status, 500, name)
        assert.doesNotMatch(head, /^x:/im, name)
        assert.equal(told.length, 1, name)
        assert.ok(told[0] instanceof TypeError, `${name}: ${told[0]}`)
        await client.destroy()
      }
      assert.equal(server.connections.size, 0)
    })
  }

  inEveryLane('and the server goes on', async (trial) => {
    const told: unknown[] = []
    const answers: unknown[] = [{ status: 200 }, { protocol: 'chat' }]
    await answering(trial, () => answers.shift(), told)
    assert.equal((await (await trial.send(request)).response()).status, 500)
    const { status, head } = await (await trial.send(request)).response()
    assert.equal(status, 101)
    assert.match(head, /\r\nSec-WebSocket-Protocol: chat\r\n/)
  })
})

describe('the message says what is wrong, and what to write instead', () => {
  for (const [answer, words] of [
    [{ statusCode: 401 }, /has no option 'statusCode': did you mean a refusal, \{ status \}\?/],
    [{ code: 401 }, /\{ status \}/],
    [{ body: 'no' }, /belongs to a refusal, \{ status, body \}/],
    [{ user: 'anna' }, /there is data, headers, protocol, deflate, expiresAt/],
    [
      null,
      /null is not an answer of upgrade: to accept, return nothing or \{ data, headers, protocol, deflate, expiresAt \}; to refuse/,
    ],
    [new Response('no'), /a Response is not an answer .*await response\.text\(\)/],
    [{ status: 200 }, /must be a status from 300 to 599, not 200/],
    [{ headers: { X: 1 } }, /the value of the header X must be a string/],
    [{ headers: ['X', 'y'] }, /'X' is not a header: write each header of a list as a pair/],
  ] as const) {
    test(JSON.stringify(answer), () => assert.throws(() => readAnswer(answer), { name: 'TypeError', message: words }))
  }
})

describe('headers', () => {
  const forms: Record<string, unknown> = {
    'an object': { 'Set-Cookie': ['a=1', 'b=2'], 'X-One': '1', absent: undefined },
    'an object without a prototype': Object.assign(Object.create(null), { 'Set-Cookie': ['a=1', 'b=2'], 'X-One': '1' }),
    'a Headers': new Headers([
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-One', '1'],
    ]),
    'a Map': new Map<string, string | string[]>([
      ['Set-Cookie', ['a=1', 'b=2']],
      ['X-One', '1'],
    ]),
    pairs: [
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['X-One', '1'],
    ],
  }
  for (const [form, headers] of Object.entries(forms)) {
    inEveryLane(`as ${form}, in an acceptance and in a refusal`, async (trial) => {
      const answers: unknown[] = [{ headers }, { status: 403, headers }]
      await answering(trial, () => answers.shift(), [])
      for (const status of [101, 403]) {
        const response = await (await trial.send(request)).response()
        assert.equal(response.status, status)
        assert.match(response.head, /\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n/i)
        assert.match(response.head, /\r\nx-one: 1\r\n/i)
        assert.doesNotMatch(response.head, /absent/)
      }
    })
  }
})
