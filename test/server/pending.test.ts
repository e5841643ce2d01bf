// While an asynchronous `upgrade` is pending, the peer can do as it likes: wait, send, flood, leave. What it sends must
// arrive afterwards, complete and in order; what it does must not cost the server more than a bounded buffer; and that it
// has left must be noticed, or a descriptor and whatever `upgrade` holds stay for as long as the promise does.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe } from 'node:test'
import type { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { deferred, inEveryLane } from '../support/everyLane.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, openSockets, type SocketClient } from '../support/socketClient.js'

const linux = process.platform === 'linux'
const TIMEOUT = 400

describe('a promise that never settles', () => {
  inEveryLane('503 at the handshake timeout; the signal is aborted, upgradeFailed told', async (trial) => {
    const told: unknown[] = []
    const requests: UpgradeRequest[] = []
    const server = await trial.serve<unknown>({
      handshakeTimeout: TIMEOUT,
      upgrade: (request) => {
        requests.push(request)
        void request.signal
        return new Promise(() => undefined)
      },
      upgradeFailed: (request, error) => void told.push(request, error),
    })
    const begin = performance.now()
    const client = await trial.send(upgradeRequest(), masked(TEXT, 'hi'))
    const { status, rest } = await client.response()
    const taken = performance.now() - begin
    await client.end()
    assert.equal(status, 503)
    assert.match(rest.toString(), /too long/)
    assert.ok(taken > TIMEOUT - 50 && taken < TIMEOUT * 10, `after ${taken} ms`)
    assert.equal(requests[0]?.signal.aborted, true)
    assert.equal(told[0], requests[0])
    assert.match(String(told[1]), /handshakeTimeout, 400 ms/)
    assert.equal(told[1], requests[0]?.signal.reason)
    assert.equal(told.length, 2)
    assert.equal(server.connections.size, 0)
  })

  inEveryLane('and that settles when it is too late changes nothing, in whichever way', async (trial) => {
    const told: unknown[] = []
    let opened = 0
    const answers = [deferred<undefined>(), deferred<undefined>(), deferred<undefined>()]
    const requests: UpgradeRequest[] = []
    await trial.serve({
      handshakeTimeout: 100,
      upgrade: (request) => answers[requests.push(request) - 1]?.promise ?? { status: 400 },
      upgradeFailed: (_, error) => void told.push(error),
      open: () => void opened++,
    })
    for (let at = 0; at < 3; at++) assert.equal((await (await trial.send()).response()).status, 503)
    answers[0]?.resolve(undefined)
    answers[1]?.reject(requests[1]?.signal.reason) // what fetch does with the signal: no news
    answers[2]?.reject(new Error('another'))
    await delay(50)
    assert.equal(opened, 0)
    assert.equal(told.length, 4)
    assert.match(String(told[3]), /another/)
  })

  inEveryLane('with handshakeTimeout 0 may take its time', async (trial) => {
    const answer = deferred()
    await trial.serve({ handshakeTimeout: 0, upgrade: () => answer.promise })
    const client = await trial.send()
    await delay(700)
    assert.equal(client.received.length, 0)
    answer.resolve(undefined)
    assert.equal((await client.response()).status, 101)
  })

  inEveryLane('ends with the server: 503 or the end, and the signal is aborted', async (trial) => {
    const requests: UpgradeRequest[] = []
    let opened = 0
    const server = await trial.serve({
      upgrade: (request) => {
        requests.push(request)
        return new Promise<undefined>(() => undefined)
      },
      open: () => void opened++,
    })
    const client = await trial.send()
    await eventually(() => requests.length === 1, 'upgrade is called')
    await server.close()
    await client.end(3000)
    assert.ok(client.text === '' || client.text.startsWith('HTTP/1.1 503 '), client.text)
    assert.equal(requests[0]?.signal.aborted, true)
    assert.equal(opened, 0)
  })
})

const leaving: Record<string, (client: SocketClient) => void> = {
  ends: (client) => void client.socket.end(),
  resets: (client) => void client.socket.resetAndDestroy(),
  'closes with frames on the way': (client) => {
    client.write(masked(TEXT, 'bye'))
    client.socket.destroy()
  },
}

describe('a peer that leaves meanwhile', () => {
  for (const [name, leave] of Object.entries(leaving)) {
    inEveryLane(`${name}: the signal is aborted, nothing opens, no descriptor is left`, async (trial) => {
      const answer = deferred()
      const requests: UpgradeRequest[] = []
      const told: unknown[] = []
      let opened = 0
      const server = await trial.serve({
        upgrade: async (request) => {
          requests.push(request)
          await answer.promise
          request.signal.throwIfAborted()
          return undefined
        },
        upgradeFailed: (_, error) => void told.push(error),
        open: () => void opened++,
      })
      const baseline = linux ? openSockets() : 0
      const clients = await Promise.all(Array.from({ length: 10 }, () => trial.send()))
      await eventually(() => requests.length === 10, 'upgrade is called')
      let aborted = 0
      for (const { signal } of requests) signal.addEventListener('abort', () => aborted++)
      for (const client of clients) leave(client)
      await eventually(() => aborted === 10, 'all signals are aborted')
      assert.match(String(requests[0]?.signal.reason), /the peer has left/)
      await Promise.all(clients.map((client) => client.destroy()))
      if (linux) await eventually(() => openSockets() === baseline, 'no descriptor is left')
      answer.resolve(undefined)
      await delay(30)
      assert.equal(opened, 0)
      assert.equal(server.connections.size, 0)
      assert.deepEqual(told, [], 'to heed the signal is no failure')
    })
  }
})

describe('frames that come meanwhile', () => {
  const texts = Array.from({ length: 40 }, (_, at) => `message ${at} ${'x'.repeat(at * 7)}`)

  for (const [how, size] of Object.entries({ 'byte by byte': 1, 'in bulk': 1 << 20, 'in odd pieces': 37 })) {
    inEveryLane(`arrive in order, ${how}, with those behind the request and those after the answer`, async (trial) => {
      const answer = deferred()
      let asked = 0
      await trial.serve({
        upgrade: () => {
          asked++
          return answer.promise
        },
        message: (connection, message) => connection.send(message),
      })
      const [behind, meanwhile, after] = [texts.slice(0, 10), texts.slice(10, 30), texts.slice(30)].map((some) =>
        Buffer.concat(some.map((text) => masked(TEXT, text))),
      )
      // The last frame behind the request is torn: its end comes while the answer is pending.
      const torn = behind?.subarray(0, -3) ?? Buffer.alloc(0)
      const rest = Buffer.concat([behind?.subarray(-3) ?? Buffer.alloc(0), meanwhile ?? Buffer.alloc(0)])
      const client = await trial.send(upgradeRequest(), torn)
      await eventually(() => asked === 1, 'upgrade is called')
      for (let at = 0; at < rest.length; at += size) {
        client.write(rest.subarray(at, at + size))
        if (at % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await delay(20)
      answer.resolve(undefined)
      client.write(after ?? '')
      const frames = await client.frames(texts.length)
      assert.deepEqual(
        frames.map(({ payload }) => payload.toString()),
        texts,
      )
    })
  }

  inEveryLane('and more than is kept: all of it arrives, once there is an answer', async (trial) => {
    const answer = deferred()
    let bytes = 0
    let wrong = 0
    await trial.serve({
      upgrade: () => answer.promise,
      message: (_, message) => {
        const first = message.view[0]
        wrong += first === ((bytes / 50_000) & 0xff) ? 0 : 1
        bytes += message.byteLength
      },
    })
    const client = await trial.send()
    await delay(20)
    const all = Buffer.concat(Array.from({ length: 200 }, (_, at) => masked(BINARY, Buffer.alloc(50_000, at & 0xff))))
    client.write(all)
    await delay(300)
    // What is not read waits in the client's own memory.
    assert.ok(client.socket.writableLength > 0, 'the server reads all, whatever it is sent')
    answer.resolve(undefined)
    await eventually(() => bytes === 200 * 50_000, 'everything arrives')
    assert.equal(wrong, 0)
  })

  for (const [name, leave] of Object.entries(leaving)) {
    inEveryLane(`of a flood whose sender ${name}: it is noticed in pauseTimeout`, async (trial) => {
      const requests: UpgradeRequest[] = []
      await trial.serve({
        handshakeTimeout: 0,
        pauseTimeout: 300,
        upgrade: (request) => {
          requests.push(request)
          return new Promise<undefined>(() => undefined)
        },
        upgradeFailed: () => undefined,
      })
      const client = await trial.send(upgradeRequest(), Buffer.alloc(100_000))
      client.write(Buffer.alloc(1_000_000))
      await eventually(() => requests.length === 1, 'upgrade is called')
      await delay(50)
      leave(client)
      await eventually(() => requests[0]?.signal.aborted === true, 'the signal is aborted')
      assert.match(String(requests[0]?.signal.reason), /pauseTimeout, 300 ms/)
    })
  }

  inEveryLane('of a flood that is refused in the end do not keep its connection', async (trial) => {
    const answer = deferred<{ status: number }>()
    await trial.serve({ closeTimeout: 300, upgrade: () => answer.promise })
    const client = await trial.send(upgradeRequest(), Buffer.alloc(100_000))
    client.write(Buffer.alloc(10_000_000))
    await delay(100)
    answer.resolve({ status: 403 })
    await client.until(() => client.text.startsWith('HTTP/1.1 403 ') || client.closed, 'the refusal')
    await client.end(5000)
  })
})

inEveryLane('many at once, each gets its own answer and its own frames', async (trial) => {
  await trial.serve<number>({
    upgrade: async (request) => {
      const number = Number(request.query.get('n'))
      await delay((number * 7) % 50)
      return number % 5 === 0 ? { status: 403 } : { data: number }
    },
    message: (connection, message) => connection.send(`${connection.data} ${message.text()}`),
  })
  await Promise.all(
    Array.from({ length: 60 }, async (_, at) => {
      const client = await trial.send(upgradeRequest({}, `GET /?n=${at} HTTP/1.1`), masked(TEXT, `from ${at}`))
      if (at % 5 === 0) return assert.equal((await client.response()).status, 403)
      const [frame] = await client.frames(1)
      return assert.equal(frame?.payload.toString(), `${at} from ${at}`)
    }),
  )
})

inEveryLane('a pipelined second request is not taken for frames of an upgraded one', async (trial) => {
  await trial.serve({ upgrade: async () => ({ status: 403 }) })
  const client = await trial.send(upgradeRequest(), latin1(upgradeRequest()))
  await client.end()
  assert.equal(client.text.match(/HTTP\/1\.1/g)?.length, 1)
})
