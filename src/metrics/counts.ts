// The counters of one server: numbers in one array, each at its place. To count costs a few loads and a store, and no
// memory, because it is done for each message.
import type { Buffer } from 'node:buffer'
import {
  FIN,
  isPart,
  KEY_BYTES,
  LONGEST_7_BIT,
  LONGEST_16_BIT,
  MASKED as MASK,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  opcodeOf,
  payloadBytes,
  RSV1,
} from '../codec/frames.js'
import type { ViolationName } from '../protocol/violation.js'
import { type MetricName, placeOf, SIZE, startOf, widthOf } from './places.js'
import { bounds, opcodes } from './table.js'

const RECEIVED = startOf('messagesReceived')
const SENT = startOf('messagesSent')
/** From the number of messages to that of their bytes: the one metric follows the other. */
const TO_BYTES = widthOf('messagesSent')
const DEFLATE_PLAIN = startOf('deflatePlain')
const DEFLATE_COMPRESSED = startOf('deflateCompressed')
/** From a tier to the next. */
const TIER = opcodes.length

/** The column of each opcode. */
const columns = [OPCODE_TEXT, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG]
const COLUMN_OF_OPCODE = new Uint8Array(16)
/** The same by the first byte of a frame that is a whole message, compressed or not. */
const NO_COLUMN = 255
const COLUMN_OF_FIRST = new Uint8Array(256).fill(NO_COLUMN)
for (const [column, opcode] of columns.entries()) {
  COLUMN_OF_OPCODE[opcode] = column
  COLUMN_OF_FIRST[FIN | opcode] = column
  COLUMN_OF_FIRST[FIN | RSV1 | opcode] = column
}

/** The numbers that have a single place. */
type PlainMetric = Extract<
  MetricName,
  | 'connectionsOpened'
  | 'handlerErrors'
  | 'subscriptions'
  | 'deliveries'
  | 'leftOut'
  | 'poolMessages'
  | 'poolQueue'
  | 'poolRunning'
  | 'poolBusy'
>
const plain: Readonly<Record<PlainMetric, number>> = {
  connectionsOpened: startOf('connectionsOpened'),
  handlerErrors: startOf('handlerErrors'),
  subscriptions: startOf('subscriptions'),
  deliveries: startOf('deliveries'),
  leftOut: startOf('leftOut'),
  poolMessages: startOf('poolMessages'),
  poolQueue: startOf('poolQueue'),
  poolRunning: startOf('poolRunning'),
  poolBusy: startOf('poolBusy'),
}

/** Which numbers change, and by how much each does. */
interface Tallied {
  readonly places: readonly number[]
  readonly amounts: readonly number[]
}

export class Counts {
  readonly values = new Float64Array(SIZE)

  /** The number of one label's value. */
  of(name: MetricName, label: string): number {
    return this.values[placeOf(name, label) ?? -1] ?? 0
  }

  /** Adds to a number without labels. */
  add(name: PlainMetric, amount = 1): void {
    this.#add(plain[name], amount)
  }

  /** Adds to the number of one label's value. */
  addTo(name: MetricName, label: string, amount = 1): void {
    const at = placeOf(name, label)
    if (at !== undefined) this.#add(at, amount)
  }

  /**
   * A message, a part of one or a control frame has come, of which the frame table says `info`. `before` is what has come
   * before of a message in parts, in bytes; returns the same after this one. A message counts when it has come whole.
   */
  arrived(info: number, length: number, before: number): number {
    const opcode = opcodeOf(info)
    const column = RECEIVED + (COLUMN_OF_OPCODE[opcode] ?? 0)
    if (opcode > OPCODE_BINARY) {
      this.#whole(column, length)
      return before
    }
    if (isPart(info)) return before + length
    this.#whole(column, before + length)
    return 0
  }

  /**
   * Counts the frame of `length` bytes that lies at `pointer` and is given out. `before` is what has gone before of a
   * message in fragments, 0 where none is under way; returns the same after this frame.
   */
  sent(bytes: Uint8Array, pointer: number, length: number, before: number): number {
    const first = bytes[pointer] ?? 0
    const form = bytes[pointer + 1] ?? 0
    const column = COLUMN_OF_FIRST[first] ?? NO_COLUMN
    const short = form & ~MASK
    if (column === NO_COLUMN) return this.#fragment(first, length - headerBytes(form), before)
    if (short <= LONGEST_7_BIT) this.#message(SENT + column, short)
    else this.#message(SENT + column + (short === LONGEST_7_BIT + 1 ? TIER : 2 * TIER), length - headerBytes(form))
    return before
  }

  /** Counts frames that lie together, each a whole message; by their tally, if they were counted before. */
  encoded(bytes: Buffer, pointer: number, length: number, tally: Tallied | undefined): void {
    if (tally === undefined) this.sentAll(bytes, pointer, pointer + length)
    else this.tallied(tally)
  }

  /** Counts frames that lie together from `pointer` to `end`, each a whole message; returns how many they are. */
  sentAll(bytes: Buffer, pointer: number, end: number): number {
    let frames = 0
    for (let at = pointer; at < end; frames++) {
      const length = headerBytes(bytes[at + 1] ?? 0) + payloadBytes(bytes, at)
      this.sent(bytes, at, length, 0)
      at += length
    }
    return frames
  }

  /**
   * A message counts when its last fragment is given out. What is under way is four times its bytes, and 1 where it is
   * text, 2 where it is binary: one number for each connection, and no object.
   */
  #fragment(first: number, length: number, before: number): number {
    const opcode = first & 15
    if (opcode > OPCODE_BINARY) return before // the HTTP response that goes first is no frame
    const under = (opcode === OPCODE_CONTINUATION ? before : opcode === OPCODE_BINARY ? 2 : 1) + 4 * length
    if ((first & FIN) === 0) return under
    this.#whole(SENT + ((under & 3) === 2 ? 1 : 0), Math.floor(under / 4))
    return 0
  }

  #whole(column: number, length: number): void {
    this.#message(length <= LONGEST_7_BIT ? column : column + (length <= LONGEST_16_BIT ? TIER : 2 * TIER), length)
  }

  /** Frames that lie together and were counted before are given out once more. */
  tallied({ places, amounts }: Tallied): void {
    for (let at = 0; at < places.length; at++) this.#add(places[at] ?? 0, amounts[at] ?? 0)
  }

  /** A connection has ended with this close code. */
  closed(code: number): void {
    this.addTo(
      'connectionsClosed',
      placeOf('connectionsClosed', String(code)) === undefined ? rangeOf(code) : `${code}`,
    )
  }

  /** An opening handshake was answered with this status. */
  answered(status: number): void {
    const known = placeOf('handshakes', String(status)) !== undefined
    this.addTo('handshakes', known ? String(status) : `${Math.floor(status / 100)}xx`)
  }

  /** Compressed messages had `plain` bytes without compression. */
  deflated(direction: 'received' | 'sent', plain: number, compressed: number): void {
    const at = direction === 'sent' ? 1 : 0
    this.#add(DEFLATE_PLAIN + at, plain)
    this.#add(DEFLATE_COMPRESSED + at, compressed)
  }

  violated(name: ViolationName): void {
    this.addTo('violations', name)
  }

  /** Something took so many seconds. */
  observe(name: 'poolWait' | 'eventLoopDelay', seconds: number): void {
    const start = startOf(name)
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++
    this.#add(start + bucket, 1)
    this.#add(start + bounds.length + 1, seconds)
  }

  #message(at: number, length: number): void {
    const { values } = this
    values[at] = (values[at] ?? 0) + 1
    values[at + TO_BYTES] = (values[at + TO_BYTES] ?? 0) + length
  }

  #add(at: number, amount: number): void {
    this.values[at] = (this.values[at] ?? 0) + amount
  }
}

function rangeOf(code: number): string {
  if (code >= 3000 && code < 4000) return '3000-3999'
  return code >= 4000 && code < 5000 ? '4000-4999' : 'other'
}

/** Bytes of the header whose second byte this is. */
function headerBytes(form: number): number {
  const short = form & ~MASK
  const key = form > LONGEST_7_BIT + 2 ? KEY_BYTES : 0
  if (short <= LONGEST_7_BIT) return 2 + key
  return (short === LONGEST_7_BIT + 1 ? 4 : 10) + key
}
