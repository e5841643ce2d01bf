// The codec's oracle: the rules of RFC 6455, section 5, one byte at a time and nothing clever.
import type { ViolationName } from '../../src/protocol/violation.js'
import { CLOSE, CONTINUATION, TEXT } from './frames.js'
import { ReferenceUtf8 } from './referenceUtf8.js'

export interface Rules {
  /** Whether frames must be masked (they come from a client) or must not be (they come from a server). */
  readonly masked: boolean
  /** The longest message that is accepted. */
  readonly limit: number
  /** The most frames that one message may have; any number without. */
  readonly fragments?: number
  /** Whether messages may be compressed. Those that are have no limit, and no character is looked at. */
  readonly compressed?: boolean
}

/** A control frame, or a whole message. */
export interface ReferenceEvent {
  readonly opcode: number
  readonly payload: Buffer
  /** It is text, and every byte is below 0x80. */
  readonly ascii: boolean
  /** It is a message that is compressed. */
  readonly compressed: boolean
  /** How many bytes of the stream it took to know this. */
  readonly end: number
}

interface Frame {
  readonly fin: boolean
  readonly opcode: number
  readonly key: readonly number[]
  readonly length: number
  /** The payload bytes so far. */
  taken: number
}

interface Message {
  readonly opcode: number
  readonly compressed: boolean
  readonly payload: number[]
  readonly utf8: ReferenceUtf8
  /** Its frames so far. */
  frames: number
}

export class ReferenceParser {
  readonly events: ReferenceEvent[] = []
  violation: ViolationName | undefined
  /** Bytes taken, up to and with the one that broke a rule. */
  taken = 0
  readonly #rules: Rules
  #header: number[] = []
  #frame: Frame | undefined
  #control: number[] = []
  #message: Message | undefined

  constructor(rules: Rules) {
    this.#rules = rules
  }

  take(byte: number): void {
    if (this.violation !== undefined) return
    this.taken++
    if (this.#frame === undefined) this.#takeHeader(byte)
    else this.#takePayload(this.#frame, byte)
    if (this.violation === undefined && this.#frame !== undefined) this.#endFrame(this.#frame)
  }

  #takeHeader(byte: number): void {
    this.#header.push(byte)
    const [first = 0, second = 0] = this.#header
    const extended = extendedBytes(second)
    const header = this.#header.length
    if (header === 1) this.violation = this.#checkFirst(first)
    else if (header === 2) this.violation = this.#checkSecond(first, second)
    else if (header === 2 + extended) this.violation = checkLength(extended, lengthOf(this.#header))
    if (this.violation === undefined && header === 2 + extended && this.#isTooLong(first))
      this.violation = 'MESSAGE_TOO_LONG'
    if (this.violation !== undefined || header < 2 + extended + (this.#rules.masked ? 4 : 0)) return
    this.#beginFrame(first)
  }

  #checkFirst(first: number): ViolationName | undefined {
    const opcode = first & 0x0f
    const fin = first >= 0x80
    const mark = this.#rules.compressed === true && opcode !== CONTINUATION && opcode < CLOSE ? 0x40 : 0
    if ((first & 0x70) !== 0 && (first & 0x70) !== mark) return 'RESERVED_BITS'
    if (![0, 1, 2, 8, 9, 10].includes(opcode)) return 'RESERVED_OPCODE'
    if (opcode >= CLOSE && !fin) return 'CONTROL_FRAGMENTED'
    if (opcode === CONTINUATION && this.#message === undefined) return 'CONTINUATION_UNEXPECTED'
    if (opcode !== CONTINUATION && opcode < CLOSE && this.#message !== undefined) return 'CONTINUATION_EXPECTED'
    return undefined
  }

  #checkSecond(first: number, second: number): ViolationName | undefined {
    const masked = second >= 0x80
    if (this.#rules.masked && !masked) return 'MASK_MISSING'
    if (!this.#rules.masked && masked) return 'MASK_FORBIDDEN'
    if ((first & 0x0f) >= CLOSE && (second & 0x7f) > 125) return 'CONTROL_TOO_LONG'
    return undefined
  }

  /** Whether the message would be too long with the frame whose length is there. */
  #isTooLong(first: number): boolean {
    if ((first & 0x0f) >= CLOSE || (first & 0x40) !== 0 || this.#message?.compressed === true) return false
    return Number(lengthOf(this.#header)) > this.#rules.limit - (this.#message?.payload.length ?? 0)
  }

  #beginFrame(first: number): void {
    const opcode = first & 0x0f
    const length = Number(lengthOf(this.#header))
    const key = this.#rules.masked ? this.#header.slice(-4) : [0, 0, 0, 0]
    this.#frame = { fin: first >= 0x80, opcode, key, length, taken: 0 }
    this.#header = []
    if (opcode >= CLOSE) return
    const compressed = (first & 0x40) !== 0
    this.#message ??= { opcode, compressed, payload: [], utf8: new ReferenceUtf8(), frames: 0 }
    this.#message.frames++
    if (this.#message.frames > (this.#rules.fragments ?? Infinity)) this.violation = 'TOO_MANY_FRAGMENTS'
  }

  #takePayload(frame: Frame, masked: number): void {
    const byte = masked ^ (frame.key[frame.taken % 4] ?? 0)
    frame.taken++
    if (frame.opcode >= CLOSE) {
      this.#control.push(byte)
      return
    }
    this.#message?.payload.push(byte)
    if (this.#message?.compressed === true) return
    if (this.#message?.opcode === TEXT && !this.#message.utf8.take(byte)) this.violation = 'INVALID_UTF8'
  }

  #endFrame(frame: Frame): void {
    if (frame.taken < frame.length) return
    const message = this.#message
    this.#frame = undefined
    if (frame.opcode >= CLOSE) {
      this.#emit(frame.opcode, this.#control, false)
      this.#control = []
    } else if (frame.fin && message !== undefined) {
      if (message.utf8.complete) this.#emit(message.opcode, message.payload, message.compressed)
      else this.violation = 'INVALID_UTF8'
      this.#message = undefined
    }
  }

  #emit(opcode: number, bytes: readonly number[], compressed: boolean): void {
    const ascii = opcode === TEXT && !compressed && bytes.every((byte) => byte < 0x80)
    this.events.push({ opcode, payload: Buffer.from(bytes), ascii, compressed, end: this.taken })
  }
}

function extendedBytes(second: number): number {
  const length = second & 0x7f
  if (length < 126) return 0
  return length === 126 ? 2 : 8
}

/** The payload length that a header announces. */
function lengthOf(header: readonly number[]): bigint {
  const [, second = 0] = header
  const extended = header.slice(2, 2 + extendedBytes(second))
  if (extended.length === 0) return BigInt(second & 0x7f)
  return extended.reduce((length, byte) => length * 256n + BigInt(byte), 0n)
}

function checkLength(extended: number, length: bigint): ViolationName | undefined {
  if (extended === 2) return length <= 125n ? 'LENGTH_NOT_MINIMAL' : undefined
  if (length >= 2n ** 63n) return 'LENGTH_TOP_BIT'
  if (length <= 65535n) return 'LENGTH_NOT_MINIMAL'
  return length > 2n ** 53n - 1n ? 'LENGTH_UNSAFE' : undefined
}

/** What the oracle says of a whole stream; since it goes byte by byte, this tells what it says of every part. */
export function parseReference(stream: Uint8Array, rules: Rules): ReferenceParser {
  const parser = new ReferenceParser(rules)
  for (const byte of stream) parser.take(byte)
  return parser
}
