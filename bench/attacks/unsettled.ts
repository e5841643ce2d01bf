// Attacks that leave something unsettled: messages without an end, promises, streams and loops that nobody goes on with.

import { BINARY } from '../../test/support/frames.js'
import { type Attack, flooding } from './attack.js'
import { frame, header, repeated } from './wire.js'

const MIB = 2 ** 20

/** Announces a message of `length` bytes, and sends all but the last. */
function unfinished(name: string, title: string, length: number, count: number, many = false): Attack {
  return {
    name,
    title,
    count,
    many,
    async one(attacker) {
      const socket = await attacker.open('/echo')
      attacker.write(socket, header(BINARY, length))
      await attacker.flood(socket, Buffer.alloc(Math.min(length, MIB)), { most: length - 1 })
    },
  }
}

const neverEnding: Attack = {
  name: 'unfinished-fragments',
  title: 'messages in fragments of 1 KiB, none of them the last',
  count: 200,
  async one(attacker) {
    const socket = await attacker.open('/echo')
    attacker.write(socket, frame(BINARY, 'x', false))
    await attacker.flood(socket, frame(0, Buffer.alloc(1024), false), { most: MIB, portion: 1032 })
  },
}

export const unsettled: readonly Attack[] = [
  unfinished('unfinished-one', 'a message of 16 MiB without its last byte', 16 * MIB, 1),
  unfinished('unfinished-large', 'messages of 16 MiB without their last byte', 16 * MIB, 64, true),
  unfinished('unfinished-1MiB', 'messages of 1 MiB without their last byte', MIB, 500),
  unfinished('unfinished-small', 'messages of 1,000 bytes without their last byte', 1000, 500, true),
  neverEnding,
  flooding('pending-empty', 'empty messages to handlers that never settle', '/pending', () => repeated(frame(BINARY)), {
    count: 50,
    many: true,
  }),
  flooding(
    'pending-large',
    'messages of 16,000 bytes to handlers that never settle',
    '/pending',
    () => repeated(frame(BINARY, Buffer.alloc(16_000))),
    { count: 50 },
  ),
  flooding('pending-later', 'messages of a byte to handlers that take 20 ms', '/later', () =>
    repeated(frame(BINARY, 'x')),
  ),
  flooding(
    'loop-unread',
    'messages of 100 bytes for a `messages()` loop that never asks',
    '/loop',
    () => repeated(frame(BINARY, Buffer.alloc(100))),
    { count: 50, many: true },
  ),
  flooding(
    'loop-empty',
    'empty messages for a `messages()` loop that never asks',
    '/loop',
    () => repeated(frame(BINARY)),
    { count: 50 },
  ),
  flooding(
    'stream-unread',
    'messages of 16 MiB for `stream` handlers that never read',
    '/stream',
    () => frame(BINARY, Buffer.alloc(16 * MIB)),
    { count: 50, many: true },
  ),
  flooding('large-pool', 'messages of 65,536 bytes for the pool of `large`', '/large', () =>
    frame(BINARY, Buffer.alloc(65_536)),
  ),
  flooding('pings-unanswered', 'messages of a byte, each answered with a ping whose pong never comes', '/pinging', () =>
    repeated(frame(BINARY, 'x')),
  ),
  flooding(
    'paused',
    'messages of 1 KiB for connections that are paused',
    '/pause',
    () => repeated(frame(BINARY, Buffer.alloc(1024))),
    { count: 50, many: true },
  ),
]
