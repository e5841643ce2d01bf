// What it costs to count a message: one that has come, and one that is given out. Nobody else counts here, so the peer is
// the loop without counting, which has to be taken off.
import { FIN, OPCODE_BINARY } from '../../src/codec/frames.js'
import { Counts } from '../../src/metrics/counts.js'
import { allocate, codec, payload, ROOM, stored } from './material.js'
import { byTier, type Measured, type Step, timeOf } from './measure.js'

/** Operations in each timed call: one takes less time than the clock. */
const REPEATS = 4096
const SERVERS = 16

export const countStep: Step = {
  ...byTier(
    {
      name: 'count',
      operation: 'one message',
      note:
        '"received" counts a message and its bytes by what the frame table says of it, "sent" by the frame as it lies in ' +
        'the outbox. "nothing" finds the counters, and counts nothing: it is the loop.',
    },
    countCase,
  ),
  conclude(results) {
    const costs = results.map((one) => timeOf(one, 'received') + timeOf(one, 'sent') - 2 * timeOf(one, 'nothing'))
    return `an echo is counted twice, which takes ${costs.map((cost) => cost.toFixed(1)).join(', ')} ns at these lengths`
  },
}

function countCase(length: number): Measured {
  const source = stored(payload('binary', length))
  const frame = allocate(length + ROOM)
  const bytes = codec.call.frame(frame, FIN | OPCODE_BINARY, source, length)
  // In a server, much happens between two messages, so that none waits for the number that the one before has stored: here
  // each has counters of another server. Each way has a loop of its own, into which the compiler can put what it calls.
  const all = Array.from({ length: SERVERS }, () => new Counts())
  const last = new Counts()
  return {
    ways: [
      {
        name: 'received',
        ours: true,
        run(repeats) {
          let under = 0
          for (let at = 0; at < repeats; at++) under = (all[at % SERVERS] ?? last).arrived(OPCODE_BINARY, length, under)
          return undefined
        },
      },
      {
        name: 'sent',
        ours: true,
        run(repeats) {
          let under = 0
          for (let at = 0; at < repeats; at++)
            under = (all[at % SERVERS] ?? last).sent(codec.bytes, frame, bytes, under)
          return undefined
        },
      },
      {
        name: 'nothing',
        run(repeats) {
          let sum = 0
          for (let at = 0; at < repeats; at++) sum += (all[at % SERVERS] ?? last).values.length + length
          if (sum < 0) throw new Error('lengths are not negative')
          return undefined
        },
      },
    ],
    repeats: REPEATS,
  }
}
