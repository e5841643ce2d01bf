// A client of plain HTTP may close its half of the connection right behind its request, as `nc -N` does: it gets its answers.
// Whether it waits for them or has gone can't be told, so an answer of which nothing is written for long is given up.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { cert, key } from '../support/certificate.js'
import { inEveryLane } from '../support/everyLane.js'
import { bodiesOf, gets } from '../support/pipelining.js'
import { serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

async function late({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
  await delay(100)
  response.writeHead(200, { 'Content-Length': url.length }).end(url)
}

inEveryLane('the answers to requests with a half-close behind them arrive, and then the end', async (trial) => {
  await trial.serve({ request: late })
  const client = await trial.send(gets(3))
  client.socket.end()
  await eventually(() => client.over, 'the end')
  assert.deepEqual(bodiesOf(client.text), ['/0', '/1', '/2'])
})

inEveryLane('a half-close behind a request does not keep the server from closing', async (trial) => {
  const server = await trial.serve({ request: late, closeTimeout: 2000 })
  const client = await trial.send(GET)
  client.socket.end()
  await delay(30)
  await server.close()
  await eventually(() => client.over, 'the end')
  assert.deepEqual(bodiesOf(client.text), ['/'])
})

inEveryLane('an answer that goes on after the half-close goes on to its end', async (trial) => {
  await trial.serve({
    pauseTimeout: 200,
    async request(_, response) {
      for (let part = 0; part < 10; part++) {
        response.write(`${part}`)
        await delay(80)
      }
      response.end('.')
    },
  })
  const client = await trial.send(GET)
  client.socket.end()
  await eventually(() => client.over, 'the end')
  assert.match(client.text, /\r\n9\r\n1\r\n\.\r\n0\r\n\r\n$/)
})

inEveryLane(
  'an answer of which nothing is written for `pauseTimeout` after the half-close is given up',
  async (trial) => {
    let closed = false
    await trial.serve({
      pauseTimeout: 200,
      request: (_, response) => {
        response.once('close', () => {
          closed = true
        })
      },
    })
    const client = await trial.send(GET)
    client.socket.end()
    await eventually(() => closed && client.over, 'it is given up')
    assert.equal(client.text, '')
  },
)

inEveryLane('a half-close without a request ends the connection at once', async (trial) => {
  await trial.serve({ request: late })
  const client = await trial.send(GET)
  await eventually(() => bodiesOf(client.text).length === 1, 'the answer')
  client.socket.end()
  await eventually(() => client.over, 'the end')
})

for (const publicApi of [false, true]) {
  test(`over TLS, too${publicApi ? ', with the public API' : ''}`, async (t) => {
    const server = await serving(t, { publicApi, request: late }, { tls: { key, cert } })
    const port = server.address?.port ?? 0
    const how = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true }
    const socket = connect(how)
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.end(gets(2))
    await once(socket, 'end')
    assert.deepEqual(bodiesOf(text), ['/0', '/1'])
  })
}
