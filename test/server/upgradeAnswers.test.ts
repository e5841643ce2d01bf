// Answers of `upgrade` that are none: to send them would break the protocol, or let a value end the header and begin
// another. Each is a mistake of the application's, told to it as a TypeError, and a 500 for the client.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import type { Server } from '../../src/server/server.js'
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
