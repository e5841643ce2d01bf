// One read may hold thousands of pipelined requests, or of chunks of a body, and many handshakes may come at once: they are
// served in slices, between which others have their turn, and what waits meanwhile counts.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { slicesOfThread } from '../../src/connection/slices.js'
import { Budget } from '../../src/memory/budget.js'
import { SlicedReads } from '../../src/server/lanes/slicedReads.js'
import type { ServerOptions } from '../../src/server/options.js'
import { effort } from '../support/effort.js'
import { inEveryLane, Trial } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { answerWithTarget, gets, lastAnswer, MANY } from '../support/pipelining.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

/** An honest connection, which says something when `say` is called, and whether that has been heard. */
async function honestBeside(trial: Trial, options: ServerOptions): Promise<{ say(): void; heard: boolean }> {
  const honest = { heard: false, say: () => client.write(masked(TEXT, 'honest')) }
  const message = (): void => {
    honest.heard = true
  }
  await trial.serve({ ...options, message })
  const client = await trial.connect()
  client.write(upgradeRequest())
  await client.response()
  return honest
}

/** Counts what is done in one turn of the event loop. */
class Turns {
  most = 0
  #count = 0

  one(): void {
    if (this.#count++ === 0) setImmediate(() => this.#end())
  }

  #end(): void {
    this.most = Math.max(this.most, this.#count)
    this.#count = 0
  }
}

inEveryLane('a turn of the event loop serves few of the requests of one connection', async (trial) => {
  const turns = new Turns()
  await trial.serve({
    request: (request, response) => {
      turns.one()
      answerWithTarget(request, response)
    },
  })
  const client = await trial.send(gets(MANY))
  await lastAnswer(client, `/${MANY - 1}`)
  assert.ok(turns.most > 0 && turns.most <= 40, `${turns.most} in one turn`)
})

inEveryLane('handshakes that come all at once are spread over turns, as they take long', async (trial) => {
  const count = 150
  const turns = new Turns()
  await trial.serve({
    upgrade() {
      turns.one()
      for (const end = performance.now() + 1; performance.now() < end; );
    },
  })
  const clients = await Promise.all(Array.from({ length: count }, () => trial.connect()))
  await delay(50) // all of them are accepted
  await Promise.all(clients.map((client) => trial.request(client, upgradeRequest())))
  for (const client of clients) assert.equal((await client.response()).status, 101)
  assert.ok(turns.most > 0 && turns.most <= 20, `${turns.most} in one turn`)
})

test('handshakes that wait for their turn when the server closes are told so: 503', {
  skip: privateApiForbidden,
}, async () => {
  const trial = new Trial({ publicApi: false, pieces: false })
  let asked = 0
  const server = await trial.serve({
    closeTimeout: 300,
    upgrade() {
      // Those who have been read with this one are in line by then.
      if (asked++ === 0) setImmediate(() => void server.close())
      for (const end = performance.now() + 10; performance.now() < end; );
    },
  })
  try {
    const clients = await Promise.all(Array.from({ length: 60 }, () => trial.connect()))
    await delay(50) // all of them are accepted
    await Promise.all(clients.map((client) => trial.request(client, upgradeRequest())))
    await Promise.all(clients.map((client) => client.end(3000)))
    const refused = clients.filter(({ text }) => text.startsWith('HTTP/1.1 503 '))
    assert.ok(refused.length >= 20, `${refused.length} are told`)
    for (const { text } of refused) assert.match(text, /the server is closing/)
  } finally {
    await trial.end()
  }
})

test('what is left in the socket counts, and ends the connection if there is no room for it', async () => {
  const lines = Buffer.alloc(60_000, '\n')
  const budget = new Budget(1)
  const listening = createTcpServer().listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  let pausing = true
  let parsed = 0
  const dial = async (): Promise<{ socket: Socket; reads: SlicedReads; client: SocketClient }> => {
    const [[socket], client] = await Promise.all([once(listening, 'connection'), SocketClient.open(port)])
    socket.on('data', (bytes: Buffer) => {
      parsed += bytes.length
      if (pausing) socket.pause()
    })
    return { socket, reads: new SlicedReads(socket, slicesOfThread(), budget, { crowded: false }), client }
  }
  try {
    const { socket, reads, client } = await dial()
    client.write(lines)
    await eventually(() => budget.used > 0 && parsed + socket.readableLength === lines.length, 'it is read')
    assert.deepEqual([budget.used, reads.held], [lines.length - parsed, lines.length - parsed])
    pausing = false
    socket.resume()
    await eventually(() => parsed === lines.length, 'all is parsed')
    assert.deepEqual([budget.used, reads.held], [0, 0])
    pausing = true
    budget.charge(budget.limit)
    client.write(lines)
    await client.end()
    await eventually(() => socket.destroyed && reads.gone, 'it is over')
    reads.stop()
    assert.equal(reads.held, 0)
  } finally {
    listening.close()
  }
})

inEveryLane('others are heard between the requests of one read', async (trial) => {
  let served = 0
  let before = 0
  const honest = await honestBeside(trial, {
    request: (request, response) => {
      if (served++ === 0) honest.say()
      if (!honest.heard) before++
      answerWithTarget(request, response)
    },
  })
  const client = await trial.send(gets(1500))
  await lastAnswer(client, '/1499')
  assert.ok(before < 500, `${before} requests came first`)
})

inEveryLane('others are heard between the chunks of a body', async (trial) => {
  const chunks = effort({ quick: 50_000, full: 100_000 })
  let bytes = 0
  let before = 0
  const honest = await honestBeside(trial, {
    request: (request, response) => {
      request.on('data', ({ length }: Buffer) => {
        bytes += length
        if (bytes === 100) honest.say() // what comes with the head has a step of its own
        if (!honest.heard) before = bytes
      })
      request.on('end', () => response.end())
    },
  })
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
  await trial.send(`${head}${'1\r\nx\r\n'.repeat(chunks)}0\r\n\r\n`)
  await eventually(() => bytes === chunks, 'the body')
  // Two reads in a row hold twice as many.
  assert.ok(honest.heard && before < chunks / 10, `${before} of ${chunks} chunks came first`)
})
