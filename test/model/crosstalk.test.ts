// Many connections over all transports in one process, whose handlers and clients do anything at any time, inside of what
// the others do: everybody is given its own messages, whole and in order, and nobody else's; a message is what it was as
// long as its handler runs, and gone afterwards; and when all is over, nothing is held. SEED=… begins with another seed.
// What runs without sockets does the same each time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effort } from '../support/effort.js'
import { poisonMemory } from '../support/poison.js'
import { seed } from '../support/random.js'
import { type Profile, World } from './world.js'

poisonMemory()

interface Run {
  readonly what: string
  readonly profile: Profile
  /** Seeds, and frames with each. */
  readonly rounds: number
  readonly frames: number
}

const runs: readonly Run[] = [
  {
    what: 'everything at once, over all transports',
    profile: { kinds: ['tcp', 'public', 'tls', 'unix', 'held', 'pair', 'pair', 'memory'] },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 4000, full: 50_000 }),
  },
  {
    what: 'everything at once, without sockets',
    profile: { kinds: ['pair', 'pair', 'memory'] },
    rounds: effort({ quick: 2, full: 10 }),
    frames: effort({ quick: 2000, full: 30_000 }),
  },
  {
    what: 'an upgrade that was held back is let in by a handler',
    profile: { kinds: ['tcp', 'held'], weights: { upgrade: 20, 'client leaves': 4 } },
    rounds: effort({ quick: 1, full: 5 }),
    frames: effort({ quick: 1500, full: 20_000 }),
  },
  {
    what: 'the bytes of one connection arrive while the handler of another runs',
    profile: { kinds: ['pair', 'memory'], reactions: { client: 0, handler: 0.4 }, weights: { upgrade: 0 } },
    rounds: effort({ quick: 1, full: 5 }),
    frames: effort({ quick: 1500, full: 20_000 }),
  },
  {
    what: 'a connection ends while its handler runs',
    profile: {
      kinds: ['memory'],
      paths: ['close', 'close', 'pause', 'stream'],
      outside: ['client sends', 'upgrade'],
      reactions: { client: 0, handler: 0.9 },
      weights: { upgrade: 0, pause: 40, resume: 40, 'client holds': 40, send: 80 },
    },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 2000, full: 20_000 }),
  },
  {
    what: 'a write makes its client send, and the server send to others',
    profile: {
      kinds: ['pair'],
      outside: ['client sends', 'upgrade'],
      reactions: { client: 0.4, handler: 0.4 },
      weights: { upgrade: 0, subscribe: 20 },
    },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 2000, full: 20_000 }),
  },
  {
    what: 'slices, turns and publications are cut anywhere, and clients half-close',
    profile: {
      kinds: ['pair', 'memory', 'tcp'],
      jitter: 6,
      connections: 150,
      weights: { subscribe: 120, unsubscribe: 10, publish: 40, 'publish by a connection': 40, 'client ends': 6 },
    },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 2000, full: 30_000 }),
  },
  {
    what: 'more waits for a client than is written in a row',
    profile: {
      kinds: ['memory', 'memory', 'pair', 'tcp', 'public', 'tls'],
      paths: ['pause', 'close', 'all', 'loop'],
      jitter: 6,
      mostWaiting: 6_000_000,
      long: 0.7,
      connections: 12,
      limits: { outputLimit: 4_000_000 },
      weights: { 'client holds': 30, 'client releases': 10, 'send prepared': 80, send: 300, fragment: 40 },
    },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 2000, full: 20_000 }),
  },
  {
    what: 'those who hold the most go, and take nothing along',
    profile: {
      kinds: ['tcp', 'public', 'tls', 'pair', 'memory', 'memory'],
      jitter: 4,
      limits: { payloadMemory: 2_000_000, outputLimit: 400_000 },
      weights: { pause: 40, 'client holds': 60, 'client sends': 250, send: 80, 'send prepared': 60 },
    },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 2000, full: 20_000 }),
  },
  {
    what: 'everything at once, over TLS, where a write may fail while it is given away',
    profile: { kinds: ['tls'] },
    rounds: effort({ quick: 2, full: 10 }),
    frames: effort({ quick: 3000, full: 10_000 }),
  },
  {
    what: 'compressed messages, over all transports',
    profile: { kinds: ['tcp', 'public', 'tls', 'unix', 'held', 'pair', 'pair', 'memory'], deflate: {} },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 3000, full: 40_000 }),
  },
  {
    what: 'compressed messages, without sockets, cut anywhere',
    profile: {
      kinds: ['pair', 'memory', 'memory'],
      jitter: 6,
      deflate: { threshold: 0 },
      weights: { stream: 20, fragment: 60, subscribe: 60, publish: 30, 'publish by a connection': 30 },
    },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 3000, full: 30_000 }),
  },
  {
    what: 'those who hold the most go, amid compressed messages',
    profile: {
      kinds: ['tcp', 'public', 'pair', 'memory', 'memory'],
      jitter: 4,
      deflate: { threshold: 0 },
      limits: { payloadMemory: 4_000_000, outputLimit: 400_000 },
      weights: { pause: 40, 'client holds': 60, 'client sends': 250, send: 80, 'send prepared': 60 },
    },
    rounds: effort({ quick: 1, full: 10 }),
    frames: effort({ quick: 2000, full: 20_000 }),
  },
]

for (const { what, profile, rounds, frames } of runs) {
  for (let round = 0; round < rounds; round++) {
    const from = seed + round
    test(`${what}, seed ${from}`, { timeout: 600_000 }, async () => {
      const { faults } = await World.run(from, frames, profile)
      assert.deepEqual(faults, [], `SEED=${from} repeats it`)
    })
  }
}
