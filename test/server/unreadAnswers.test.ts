// The application may take any time to answer a request of plain HTTP, but the peer may not take any time to read the
// answer: where it takes nothing of it, its connection ends with `pauseTimeout`, and before that where newcomers need places.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import { describe, test } from 'node:test'
import { Budget } from '../../src/memory/budget.js'
import { Arrivals } from '../../src/server/admission/arrivals.js'
import { HttpLane } from '../../src/server/lanes/httpLane.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { inEveryLane } from '../support/everyLane.js'
import { laneOptions } from '../support/httpLanes.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

/** More than the system takes of what nobody reads. */
const LONG = Buffer.alloc(16_000_000)
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

describe('an answer', () => {
  for (const [name, request] of Object.entries({ alone: GET, 'with an upgrade behind it': GET + upgradeRequest() })) {
    inEveryLane(`that nobody reads ends its connection, ${name}`, async (trial) => {
      let ended = false
      await trial.serve({
        pauseTimeout: 100,
        request(_, response) {
          response.once('close', () => {
            ended = true
          })
          response.end(LONG)
        },
      })
      const client = await trial.connect()
      client.socket.pause()
      await trial.request(client, request)
      await eventually(() => ended, 'it has ended')
    })
  }

  inEveryLane('that is read slowly is read to its end', async (trial) => {
    await trial.serve({ pauseTimeout: 200, request: (_, response) => void response.end(LONG) })
    const client = await trial.send(GET)
    const steps = 6
    for (let step = 1; step <= steps; step++) {
      await client.until(() => client.received.length > (LONG.length / steps) * (step - 1), 'more of it')
      client.socket.pause()
      await delay(100)
      client.socket.resume()
    }
    await client.until(() => client.received.length > LONG.length, 'all of it')
    assert.equal(client.over, false)
  })

  inEveryLane('may be as late as the application likes', async (trial) => {
    await trial.serve({
      pauseTimeout: 100,
      async request(_, response) {
        await delay(350)
        response.end('late')
      },
    })
    const client = await trial.send(GET)
    await client.until(() => client.text.endsWith('late'), 'the answer')
  })
})

test('peers that do not read their answers give way to newcomers, and those that wait for theirs do not', async () => {
  const places = 4
  const deadlines = new Deadlines(() => false)
  const arrivals = new Arrivals({ connections: places, bytes: Infinity }, new Budget(2 ** 28))
  const lane = new HttpLane({
    ...laneOptions(() => undefined),
    deadlines,
    arrivals,
    mostSockets: 100,
    request: ({ url }, response) => void (url === '/' && response.end(LONG)),
  })
  const listening = createTcpServer((socket) => lane.take(socket, deadlines.tickAfter(10_000))).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const address = listening.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const clients: SocketClient[] = []
  const dial = async (request: string): Promise<SocketClient> => {
    const client = await SocketClient.open(port)
    clients.push(client)
    if (request === GET) client.socket.pause()
    client.write(request)
    return client
  }
  const patient = await dial('GET /later HTTP/1.1\r\nHost: x\r\n\r\n')
  for (let count = 1; count < places; count++) await dial(GET)
  await delay(100)
  await dial(GET)
  await eventually(() => arrivals.size === places + 1, 'all may stay that have just begun')
  await delay(1300)
  await dial('')
  await eventually(() => arrivals.size <= places, 'some have gone')
  assert.equal(patient.over, false)
  // A client that only ends its side would still be given its answer, which never comes.
  patient.socket.resetAndDestroy()
  for (const client of clients) await client.destroy()
  listening.close()
  await lane.close()
  await eventually(() => arrivals.size === 0, 'nobody is left')
})
