// Attacks by open connections that do not read what they are sent, or only when it hurts.
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { BINARY, PING } from '../../test/support/frames.js'
import { type Attack, flooding, once, opening } from './attack.js'
import type { Attacker } from './attacker.js'
import { fragments, frame, repeated } from './wire.js'

const large = once(() => repeated(frame(BINARY, Buffer.alloc(16_000)), 1_048_576))
const small = once(() => repeated(frame(BINARY, Buffer.alloc(20))))
const short = once(() => repeated(fragments(BINARY, Buffer.alloc(2))))

/** Fills the buffers of the system, lets the server pile up what costs most, and reads then. */
function pileUp(name: string, title: string, bytes: () => Buffer): Attack {
  const one = async (attacker: Attacker): Promise<void> => {
    const socket = await attacker.open('/echo', { reads: false })
    await fillPipe(attacker, socket)
    void attacker.flood(socket, bytes(), { most: 5_200_000 })
    await attacker.pause(1500)
    socket.resume()
  }
  return opening(name, title, one, { seconds: 3 })
}

/** Sends echoes until the system takes no more answers from the server, and the server begins to keep them itself. */
async function fillPipe(attacker: Attacker, socket: Socket): Promise<void> {
  const step = repeated(frame(BINARY, Buffer.alloc(16_000)))
  for (let sent = 0, before = 0; attacker.active && sent < MOST_IN_PIPE; sent += step.length) {
    attacker.write(socket, step)
    await attacker.pause(4)
    const queued = queuedAt(attacker.ports.plain, socket)
    if (queued > FULL && queued - before < step.length / 2) return
    before = queued
  }
}

/** More than the receiver's window leaves over while it is still open. */
const FULL = 200_000
const MOST_IN_PIPE = 12 * 2 ** 20

/** Bytes that wait in the server's socket, where the system tells: it is the same machine. */
function queuedAt(port: number, { localPort = 0 }: Socket): number {
  if (process.platform !== 'linux') return 0
  const hex = (number: number): string => number.toString(16).toUpperCase().padStart(4, '0')
  const ends = new RegExp(`[0-9A-F]{8}:${hex(port)} [0-9A-F]{8}:${hex(localPort)} 01 ([0-9A-F]{8}):`)
  return Number.parseInt(ends.exec(readFileSync('/proc/net/tcp', 'latin1'))?.[1] ?? '0', 16)
}

/** Reads a little every now and then, so that each write of the server is a partial one. */
const sips = opening(
  'sips',
  'readers that take 16 KiB every 10 ms, of echoes of 1,000 bytes, and a `drain` handler',
  async (attacker) => {
    const socket = await attacker.open('/drain', { reads: false })
    void attacker.flood(socket, repeated(frame(BINARY, Buffer.alloc(1000))))
    while (attacker.active) {
      socket.read(16_384)
      await attacker.pause(10)
    }
  },
  { count: 20 },
)

/** Slow readers hold what there is to hold; then new connections come with bytes after their requests. */
const scarce = opening(
  'scarce',
  'slow readers, one by one replaced by upgrades with a message after them',
  async (attacker, index) => {
    const socket = await attacker.open('/echo', { reads: false })
    void attacker.flood(socket, large())
    await attacker.pause(2000 + index * 2)
    socket.resetAndDestroy()
    const early = frame(BINARY, Buffer.alloc(17_000))
    await Promise.all([1, 2].map(() => attacker.open('/echo', { early, reads: false })))
  },
  { many: true, count: 600, seconds: 4 },
)

const unread = { count: 60, reads: false }
const manyUnread = { ...unread, many: true }
const pings = (length: number) => (): Buffer => repeated(frame(PING, Buffer.alloc(length)))
const never = 'readers that never read'

export const withoutReading: readonly Attack[] = [
  pileUp('pile-fragmented', 'echoes of 2 bytes in 2 fragments piled up unread, then read', short),
  pileUp('pile-small', 'echoes of 20 bytes piled up unread, then read', small),
  pileUp('pile-pings', 'pings piled up unread, then read', pings(0)),
  flooding('unread-large', `${never} echoes of 16,000 bytes`, '/echo', large, manyUnread),
  flooding('unread-small', `${never} echoes of 20 bytes`, '/echo', small, manyUnread),
  flooding('unread-fragmented', `${never} echoes of 2 bytes in 2 fragments`, '/echo', short, manyUnread),
  flooding('unread-pings', `${never} pongs`, '/echo', pings(125), manyUnread),
  flooding('unread-drop', `${never}, policy 'drop'`, '/drop', small, unread),
  flooding('unread-close', `${never}, policy 'close', and come again`, '/close', small, unread),
  flooding('unread-rows', `${never} streams of 4 MB`, '/rows', () => frame(BINARY), { ...unread, count: 20 }),
  sips,
  scarce,
]
