// A newcomer for whom there is no memory is refused in words, in either lane, and a connection that finds none ends alone:
// no exception leaves a callback of libuv, of a timer or of an event. The first connection notices nothing.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { prepare } from '../../src/connection/sending/prepared.js'
import { createServer } from '../../src/index.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { Refusals } from '../support/refusals.js'
import { eventually, SocketClient } from '../support/socketClient.js'

let refusals: Refusals

before(() => {
  refusals = new Refusals()
})

after(() => refusals.restore())

const LATER = upgradeRequest({}, 'GET /later HTTP/1.1')

async function serve(trial: Trial) {
  return await trial.serve({
    large: { module: new URL('../pool/largeModule.js', import.meta.url), threads: 1 },
    upgrade: (request) => (request.path === '/later' ? Promise.resolve() : undefined),
    open: (connection) => connection.subscribe('news'),
    message: (connection, message) => {
      if (message.byteLength === 7) connection.publish('news', 'x'.repeat(70_000))
      connection.send(message)
    },
    error: () => undefined,
  })
}

/** What comes before the end of what is sent: the last answer, the refusal, or the connection's end. */
async function use(trial: Trial, request: string): Promise<string> {
  const client = await trial.send(request, masked(TEXT, 'early'))
  const { status, rest } = await client.response()
  if (status !== 101) return `${status} ${rest}`
  client.write(masked(TEXT, 'publish'))
  const long = masked(BINARY, Buffer.alloc(200_000))
  await client.writePieces([long.subarray(0, 90_000), long.subarray(90_000), masked(TEXT, 'the end')], 5)
  await client.until(() => client.over || client.text.includes('\x07the end'), 'the answers')
  await client.destroy()
  return '101'
}

describe('an allocation that is refused', () => {
  for (const [name, request] of Object.entries({ 'at once': upgradeRequest(), later: LATER })) {
    inEveryLane(
      `whichever, where upgrade answers ${name}: the others are served, and nothing stays behind`,
      async (trial) => {
        const server = await serve(trial)
        const honest = await trial.send()
        await honest.response()
        honest.write(masked(TEXT, 'publish'))
        await use(trial, request)
        await eventually(() => server.connections.size === 1, 'the other one has left')
        const before = heapOfThread().used
        const seen = new Set<string>()
        for (let at = 1; ; at++) {
          refusals.refuse(at, at % 2 === 0 ? at : Infinity)
          seen.add(await use(trial, request))
          const { refused } = refusals
          refusals.stop()
          const { length } = honest.received
          honest.write(masked(TEXT, `after ${at}`))
          await honest.until(() => honest.text.slice(length).includes(`after ${at}`), 'the echo')
          await eventually(() => server.connections.size === 1, 'the other one has left')
          assert.equal(heapOfThread().used, before, `allocation ${at}`)
          if (refused === 0) break
        }
        assert.deepEqual([...seen].sort(), ['101', '503 no memory is left for a connection'])
      },
    )
  }

  test('refuses an upgrade of a node:http server of the application’s, too', async (t) => {
    const server = createServer()
    const http = createHttpServer().on('upgrade', (request, socket, head) =>
      server.handleUpgrade(request, socket, head),
    )
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const address = http.address()
    const client = await SocketClient.open(typeof address === 'object' ? (address?.port ?? 0) : 0)
    t.after(async () => {
      await client.destroy()
      await server.close()
      http.close()
    })
    refusals.refuse(1, Infinity)
    client.write(upgradeRequest())
    const { status, rest } = await client.response()
    refusals.stop()
    assert.deepEqual([status, String(rest)], [503, 'no memory is left for a connection'])
    await client.end()
    assert.equal(server.connections.size, 0)
  })
})

describe('what the application says to many', () => {
  inEveryLane('is dropped where there is no memory for it, and said again when there is', async (trial) => {
    const server = await serve(trial)
    const client = await trial.send()
    await client.response()
    refusals.refuse(1, Infinity)
    const message = prepare('prepared without memory')
    assert.equal(server.publish('news', message), 0)
    assert.equal(server.publish('news', 'x'.repeat(100_000)), 0)
    refusals.stop()
    assert.equal(server.publish('news', message), 1)
    await client.until(() => client.text.endsWith('prepared without memory'), 'the publication')
    message.release()
    assert.throws(() => server.publish('news', message), /released/)
  })
})
