// What a PROXY header said belongs to one connection: another one with the same address and port on the client's side, to
// another address of this server, must not be taken for it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { createServer } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { ipv4Header } from '../support/proxyHeaders.js'
import { freePort } from '../support/serverProcess.js'

const options = { timeout: 30_000, skip: process.platform !== 'linux' } // 127.0.0.2 is only there by itself on Linux

/** A connection from a given port; behind its PROXY header, TLS or not. */
async function open(t: TestContext, host: string, port: number, localPort: number, client: string, tls: boolean) {
  const socket: Socket = connect({ host, port, localAddress: '127.0.0.1', localPort })
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(ipv4Header(client))
  if (!tls) return socket
  const secure = connectTls({ socket, ca: cert, servername: 'localhost' })
  await once(secure, 'secureConnect')
  return secure
}

/** The address that the server tells a connection that it has. */
async function told(socket: Socket): Promise<string> {
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1')
  })
  socket.write(upgradeRequest())
  while (!answer.includes('<')) await once(socket, 'data')
  return /<([^>]*)>/.exec(answer)?.[1] ?? ''
}

describe('two connections from one port to two addresses', options, () => {
  for (const tls of [false, true]) {
    test(`are told apart${tls ? ', behind TLS' : ''}`, options, async (t) => {
      const server = createServer({
        closeTimeout: 300,
        open: (connection) => connection.send(`<${connection.remoteAddress}>`),
      })
      const port = await freePort()
      const secure = tls ? { tls: { cert, key } } : {}
      for (const host of ['127.0.0.1', '127.0.0.2']) await server.listen({ host, port, proxyProtocol: true, ...secure })
      t.after(() => server.close())
      const localPort = await freePort()
      const first = await open(t, '127.0.0.1', port, localPort, '203.0.113.1', tls)
      const second = await open(t, '127.0.0.2', port, localPort, '203.0.113.2', tls)
      assert.deepEqual([await told(first), await told(second)], ['203.0.113.1', '203.0.113.2'])
      first.destroy()
      await once(first, 'close')
    })
  }
})
