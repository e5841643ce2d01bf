// Attacks that leave something unsettled: messages without an end, promises, streams and loops that nobody goes on with.
import { BINARY } from '../../test/support/frames.js'
import { type Attack, flooding, opening } from './attack.js'
import { frame, header, repeated } from './wire.js'

const MIB = 2 ** 20
const FIFTY = { count: 50 }

const empty = (): Buffer => repeated(frame(BINARY))
const byte = (): Buffer => repeated(frame(BINARY, 'x'))
const of = (length: number) => (): Buffer => repeated(frame(BINARY, Buffer.alloc(length)))
const one = (length: number) => (): Buffer => frame(BINARY, Buffer.alloc(length))

/** Announces a message of `length` bytes, and sends all but the last. */
function unfinished(name: string, title: string, length: number, count: number, many = false): Attack {
  return opening(
    name,
    title,
    async (attacker) => {
      const socket = await attacker.open('/echo')
      attacker.write(socket, header(BINARY, length))
      await attacker.flood(socket, Buffer.alloc(Math.min(length, MIB)), { most: length - 1 })
    },
    { count, many },
  )
}

const neverEnding = opening(
  'unfinished-fragments',
  'messages in fragments of 1 KiB, none of them the last',
  async (attacker) => {
    const socket = await attacker.open('/echo')
    attacker.write(socket, frame(BINARY, 'x', false))
    await attacker.flood(socket, frame(0, Buffer.alloc(1024), false), { most: MIB, portion: 1032 })
  },
  { count: 200 },
)

const never = 'to handlers that never settle'
const loop = 'for a `messages()` loop that never asks'

export const unsettled: readonly Attack[] = [
  unfinished('unfinished-one', 'a message of 16 MiB without its last byte', 16 * MIB, 1),
  unfinished('unfinished-large', 'messages of 16 MiB without their last byte', 16 * MIB, 64, true),
  unfinished('unfinished-1MiB', 'messages of 1 MiB without their last byte', MIB, 500),
  unfinished('unfinished-small', 'messages of 1,000 bytes without their last byte', 1000, 500, true),
  neverEnding,
  flooding('pending-empty', `empty messages ${never}`, '/pending', empty, { ...FIFTY, many: true }),
  flooding('pending-large', `messages of 16,000 bytes ${never}`, '/pending', of(16_000), FIFTY),
  flooding('pending-later', 'messages of a byte to handlers that take 20 ms', '/later', byte),
  flooding('loop-unread', `messages of 100 bytes ${loop}`, '/loop', of(100), { ...FIFTY, many: true }),
  flooding('loop-empty', `empty messages ${loop}`, '/loop', empty, FIFTY),
  flooding('stream-unread', 'messages of 16 MiB for `stream` handlers that never read', '/stream', one(16 * MIB), {
    ...FIFTY,
    many: true,
  }),
  flooding('large-pool', 'messages of 65,536 bytes for the pool of `large`', '/large', one(65_536)),
  flooding(
    'pings-unanswered',
    'messages of a byte, each answered with a ping whose pong never comes',
    '/pinging',
    byte,
  ),
  flooding('paused', 'messages of 1 KiB for connections that are paused', '/pause', of(1024), { ...FIFTY, many: true }),
]
