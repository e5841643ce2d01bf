// Attacks by open connections that send much of little, or little of much, and read what they are answered.

import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../test/support/frames.js'
import { type Attack, flooding, opening, repeating } from './attack.js'
import { fragments, frame, header, repeated } from './wire.js'

const MIB = 2 ** 20
const LONGEST = 16 * MIB

const byte = (opcode: number): Buffer => repeated(frame(opcode, 'x'))
const longest = (opcode: number, character: string): Buffer => {
  const length = Math.floor(LONGEST / Buffer.byteLength(character))
  return frame(opcode, character.repeat(length))
}

/** A text of 16 MiB whose last byte is no UTF-8, in a new connection each time: it is closed for it. */
const lateGarbage = opening('utf8-late', 'text of 16 MiB, wrong in its last byte', async (attacker) => {
  const payload = Buffer.alloc(LONGEST, 0x61)
  payload[LONGEST - 1] = 0xff
  const message = frame(TEXT, payload)
  await attacker.again(async () => attacker.flood(await attacker.open('/ignore'), message, { most: message.length }))
})

/** Each in a connection of its own, which it costs. */
const VIOLATIONS: readonly Buffer[] = [
  frame(CLOSE, Buffer.of(0)),
  frame(CLOSE, Buffer.of(3, 231, 0xff, 0xfe)),
  frame(CLOSE, Buffer.of(3, 232, 0xc3)),
  Buffer.concat([header(CLOSE, 126), Buffer.alloc(126)]),
  Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Buffer.of(0x82, 0x01, 0x61),
  frame(CONTINUATION, 'x'),
  frame(TEXT, Buffer.of(0xc0, 0x80)),
  frame(PING, 'x', false),
  header(BINARY, 2 ** 40),
]

const violations = opening(
  'violations',
  'frames that fail the connection: garbage in Close, wrong bits, lengths, UTF-8',
  async (attacker, index) => {
    let turn = index
    await attacker.again(async () => {
      const socket = await attacker.open('/echo')
      attacker.write(socket, VIOLATIONS[turn++ % VIOLATIONS.length] ?? Buffer.alloc(2))
      await attacker.pause(2)
      socket.destroy()
    })
  },
  { count: 8 },
)

const long = frame(BINARY, Buffer.alloc(200_000))

const resets = repeating(
  'resets',
  'connections reset amid a message of 200 kB',
  async (attacker) => {
    const socket = await attacker.open('/echo')
    await attacker.flood(socket, long, { most: 150_000 })
    socket.resetAndDestroy()
  },
  { count: 16 },
)

const short = repeated(frame(BINARY, 'x'), 8000)

const halfClosing = repeating(
  'half-close',
  'messages with the end of the stream after them',
  async (attacker) => {
    const socket = await attacker.open('/echo')
    attacker.write(socket, short)
    socket.end()
    await attacker.pause(5)
    socket.destroy()
  },
  { count: 16 },
)

const afterClose = repeating(
  'after-close',
  'messages of a byte after the Close of the server, which is not answered',
  async (attacker) => attacker.flood(await attacker.open('/closing'), byte(BINARY), { most: 20 * MIB }),
  { count: 4 },
)

const singleBytes = opening(
  'byte-writes',
  'frames that come a byte at a time',
  async (attacker) =>
    attacker.flood(await attacker.open('/echo'), frame(TEXT, 'hello, a byte at a time'), { portion: 1 }),
  { count: 64, many: true },
)

const member: Attack = {
  ...flooding('publish', 'publications of a byte to 1,000 subscribers', '/publish', () => byte(BINARY)),
  async prepare(attacker) {
    await Promise.all(Array.from({ length: 1000 }, () => attacker.open('/member')))
  },
}

const slowMembers: Attack = {
  name: 'publish-unread',
  title: 'publications of 1 KiB to 200 subscribers that do not read, 1,000 per second',
  async prepare(attacker) {
    await Promise.all(Array.from({ length: 200 }, () => attacker.open('/member', { reads: false })))
  },
  async one(attacker) {
    const portion = repeated(frame(BINARY, Buffer.alloc(1024)), 5150)
    await attacker.flood(await attacker.open('/publish'), portion, { portion: portion.length, every: 4 })
  },
}

const topics = opening(
  'topics',
  'subscribing to 1,024 topics of 255 bytes and leaving them, without pause',
  async (attacker, index) => {
    const names = Array.from({ length: 1024 }, (_, at) => frame(TEXT, `${index}-${at}-`.padEnd(255, 't')))
    await attacker.flood(await attacker.open('/topics'), Buffer.concat(names))
  },
  { many: true },
)

const pings = (): Buffer => Buffer.concat([frame(TEXT, 'a', false), repeated(frame(PING)), frame(CONTINUATION, 'b')])

export const whileReading: readonly Attack[] = [
  flooding('echo-bytes', 'echoes of a byte', '/echo', () => byte(BINARY), { many: true }),
  flooding('echo-empty', 'echoes of empty messages', '/echo', () => repeated(frame(BINARY))),
  flooding('ignored-bytes', 'messages of a byte that nobody answers', '/ignore', () => byte(BINARY)),
  flooding('text-bytes', '`text()` of a byte', '/text', () => byte(TEXT)),
  flooding('fragments-of-a-byte', 'echoes of messages in 100,000 fragments of a byte', '/echo', () =>
    fragments(BINARY, Buffer.alloc(100_000)),
  ),
  flooding('empty-fragments', 'messages of 100,000 empty fragments', '/echo', () =>
    fragments(BINARY, Buffer.alloc(100_000), true),
  ),
  flooding('short-fragmented', 'echoes of 3 bytes in 3 fragments', '/echo', () =>
    repeated(fragments(BINARY, Buffer.alloc(3))),
  ),
  flooding('text-fragmented', '`text()` of 3 bytes, a character cut in 3', '/text', () =>
    repeated(fragments(TEXT, Buffer.from('€'))),
  ),
  flooding('stream-bytes', '`streamThreshold: 0`, messages of a byte, answered', '/stream-all', () => byte(BINARY)),
  flooding('stream-empty', '`streamThreshold: 0`, empty messages, not read', '/stream-none', () =>
    repeated(frame(BINARY)),
  ),
  flooding('stream-fragments', '`streamThreshold: 0`, a message in fragments of a byte', '/stream-all', () =>
    fragments(BINARY, Buffer.alloc(100_000)),
  ),
  flooding('pings', 'empty pings', '/echo', () => repeated(frame(PING))),
  flooding('pings-amid', 'empty pings amid a message', '/echo', pings),
  flooding('pongs', 'empty pongs to a `pong` handler', '/pong', () => repeated(frame(PONG))),
  flooding('echo-16KiB', 'echoes of 16 KiB', '/echo', () => frame(BINARY, Buffer.alloc(16_384))),
  flooding('echo-64KiB', 'echoes of 65,536 bytes', '/echo', () => frame(BINARY, Buffer.alloc(65_536))),
  flooding('echo-16MiB', 'echoes of 16 MiB', '/echo', () => longest(BINARY, 'x')),
  flooding('text-16MiB', 'text of 16 MiB, ASCII', '/ignore', () => longest(TEXT, 'x')),
  flooding('multibyte-16MiB', 'text of 16 MiB, three bytes per character', '/ignore', () => longest(TEXT, '€')),
  lateGarbage,
  flooding('throwing', 'messages to a handler that throws', '/throwing', () => byte(BINARY), { count: 4 }),
  violations,
  resets,
  halfClosing,
  afterClose,
  singleBytes,
  flooding('rows', 'asks for streams of 4 MB in rows of 20 bytes', '/rows', () => frame(BINARY)),
  topics,
  member,
  slowMembers,
]
