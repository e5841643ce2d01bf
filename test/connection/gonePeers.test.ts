// A peer that has gone is noticed within about pauseTimeout, whatever its connection is waiting for: what stays open for a
// peer that is no more is a descriptor, and whatever the application keeps for it.
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import type { ServerOptions } from '../../src/server/options.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { type Pair, pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const PAUSE = 300
const never = (): Promise<never> => new Promise(() => undefined)
/** Of a message that the pool's thread takes so many milliseconds for. */
const waits = (time: number): Buffer => masked(TEXT, `wait ${time}${' '.repeat(100_000)}`)
const pool = { module: new URL('../pool/largeModule.js', import.meta.url), threads: 1 }

interface State {
  readonly options?: ServerOptions
  /** Brings the connection there. */
  enter?(pair: Pair): unknown
  /** An answer is under way, which is owed to a peer that has only half-closed: that one has not gone. */
  readonly owed?: boolean
}

const STATES: Readonly<Record<string, State>> = {
  'is read from': {},
  'is paused by the application': {
    options: { open: (connection) => connection.pause() },
  },
  'is paused, and has sent more than is read': {
    options: { open: (connection) => connection.pause() },
    enter: ({ client }) => client.write(masked(BINARY, Buffer.alloc(3_000_000))),
  },
  'has as many handlers pending as it may': {
    options: { pendingHandlers: 1, message: never },
    enter: ({ client }) => client.write(Buffer.concat([masked(TEXT, 'one'), masked(TEXT, 'two')])),
  },
  'sends a stream that nobody reads': {
    options: { streamThreshold: 1000, stream: never },
    enter: ({ client }) => client.write(masked(BINARY, Buffer.alloc(3_000_000))),
  },
  'has a loop that nobody goes on with': {
    options: { open: (connection) => void connection.messages().next() },
    enter: ({ client }) =>
      client.write(Buffer.concat(Array.from({ length: 3000 }, () => masked(BINARY, 'x'.repeat(500))))),
  },
  'waits for the pool': {
    options: { large: pool },
    owed: true,
    enter: ({ client }) => client.write(waits(3000)),
  },
  'waits for the pool, and has sent more behind': {
    options: { large: pool },
    owed: true,
    enter: ({ client }) => client.write(Buffer.concat([waits(3000), masked(BINARY, Buffer.alloc(3_000_000))])),
  },
  'waits for memory': {
    options: { payloadMemory: 0 },
    enter: async ({ server, client }) => {
      const oldest = await SocketClient.open(server.address?.port ?? 0)
      oldest.write(upgradeRequest())
      await oldest.response()
      for (const one of [oldest, client]) one.write(masked(BINARY, Buffer.alloc(3_000_000)).subarray(0, 200_000))
      await new Promise((resolve) => setTimeout(resolve, 50))
    },
  },
  'does not read what it is sent': {
    options: { message: (connection) => flood(connection) },
    enter: ({ client }) => {
      client.socket.pause()
      client.write(masked(TEXT, 'flood'))
    },
  },
  'is sent a stream that has nothing more': {
    options: { open: (connection) => void connection.sendStream(silent()).catch(() => undefined) },
  },
  'is sent a stream that has nothing more, and much waits behind it': {
    owed: true,
    options: {
      outputLimit: 1000,
      open: (connection) => {
        void connection.sendStream(silent()).catch(() => undefined)
        connection.send('x'.repeat(2000))
      },
    },
  },
  'is to answer Close': {
    options: { closeTimeout: PAUSE },
    enter: ({ connection }) => connection.close(),
  },
}

function flood(connection: Connection): void {
  for (let count = 0; count < 100; count++) connection.send(Buffer.alloc(100_000))
}

async function* silent(): AsyncGenerator<string> {
  yield 'one piece'
  await never()
}

const HALF_CLOSES = 'ends, and reads no more'

const leaving: Readonly<Record<string, (client: SocketClient) => void>> = {
  resets: (client) => void client.socket.resetAndDestroy(),
  'closes its socket': (client) => void client.socket.destroy(),
  [HALF_CLOSES]: (client) => void client.socket.pause().end(),
}

async function notices(t: TestContext, publicApi: boolean, state: State, leave: (client: SocketClient) => void) {
  const pair = await pairOf(t, {
    publicApi,
    pauseTimeout: PAUSE,
    payloadTimeout: 0,
    pingInterval: 0,
    idleTimeout: 0,
    closeTimeout: PAUSE,
    error: () => undefined,
    ...state.options,
  })
  await state.enter?.(pair)
  await new Promise((resolve) => setTimeout(resolve, 50))
  leave(pair.client)
  const gone = () => [...pair.server.connections].every((one) => one !== pair.connection)
  await eventually(gone, 'the connection ends', 20_000)
}

for (const { transport, publicApi } of transports) {
  describe(`by ${transport}, of a peer that`, { concurrency: 16 }, () => {
    for (const [name, state] of Object.entries(STATES)) {
      for (const [way, leave] of Object.entries(leaving)) {
        if (state.owed === true && way === HALF_CLOSES) continue
        test(`${name} it is noticed that it ${way}`, (t) => notices(t, publicApi, state, leave))
      }
    }

    test('waits for the pool, and has half-closed, it is not said that it has gone: it gets its answer', async (t) => {
      const { client } = await pairOf(t, { publicApi, pauseTimeout: PAUSE, large: pool })
      client.write(waits(3 * PAUSE))
      client.socket.end()
      await client.frames(2) // a ping at least, by which it is asked whether it is there
      await client.until(() => client.text.includes('wait 900'), 'the answer')
    })
  })
}
