// A peer that says all it has to say and closes its half of the TCP connection at once still gets what it was answered,
// whatever lies between a connection and the system: a TLS socket holds what it is given for a moment.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Handlers } from '../../src/connection/handlers.js'
import { cert, key } from '../support/certificate.js'
import { BINARY, CLOSE, close, masked, readFrames } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { serving } from '../support/serving.js'

const MESSAGES = 20

const ways = [
  ['the handle', false, false],
  ['the public API', true, false],
  ['TLS', false, true],
] as const

async function dial(port: number, secure: boolean): Promise<Socket> {
  const where = { port, host: '127.0.0.1', allowHalfOpen: true }
  const socket = secure ? connectTls({ ...where, ca: cert }) : connectTcp(where)
  await once(socket, secure ? 'secureConnect' : 'connect')
  return socket
}

/** What comes after the response to an upgrade, when `parts` were sent and the sending half was closed behind them. */
async function answersTo(socket: Socket, parts: readonly Buffer[]): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(upgradeRequest())
  await once(socket, 'data')
  for (const part of parts) socket.write(part) // by TLS, each is a record of its own
  socket.end()
  await once(socket, 'end')
  const all = Buffer.concat(chunks)
  return all.subarray(all.indexOf('\r\n\r\n') + 4)
}

for (const [how, publicApi, secure] of ways) {
  for (const [ending, last] of [
    ['with a Close', [close(1000)]],
    ['without one', []],
  ] as const) {
    test(`by ${how}, ${ending}: who half-closes at once gets every answer`, async (t) => {
      const message: Handlers<undefined>['message'] = (connection, message) => void connection.send(message)
      const server = await serving(t, { publicApi, message }, secure ? { tls: { key, cert } } : {})
      for (const length of [1, 10, 500, 20_000]) {
        const socket = await dial(server.address?.port ?? 0, secure)
        const messages = Array.from({ length: MESSAGES }, (_, n) => Buffer.alloc(length, n))
        const sent = [...messages.map((message) => masked(BINARY, message)), ...last]
        const { frames, rest } = readFrames(await answersTo(socket, sent))
        socket.destroy()
        assert.equal(rest.length, 0)
        const echoes = frames.filter(({ opcode }) => opcode === BINARY).map(({ payload }) => payload)
        assert.deepEqual(echoes, messages)
        assert.equal(frames.filter(({ opcode }) => opcode === CLOSE).length, last.length)
      }
    })
  }
}
