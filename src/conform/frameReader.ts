// Reads the frames of a peer, and judges each by RFC 6455, section 5: a peer that is asked about one rule must keep the
// others, too. What it holds is bounded, because a peer may be hostile.
import { Buffer, isUtf8 } from 'node:buffer'
import {
  LONGEST_7_BIT,
  LONGEST_16_BIT,
  MASKED,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../codec/frames.js'
import { readClosePayload } from '../protocol/closeCode.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Event } from './event.js'
import type { Inflation } from './inflation.js'
import { applyMask } from './wire.js'

/** How much a peer may send in a case. */
export interface Bounds {
  /** Bytes of a message, inflated. */
  readonly message: number
  /** Bytes of everything. */
  readonly total: number
  readonly frames: number
}

interface Header {
  readonly fin: boolean
  readonly reserved: number
  readonly opcode: number
  readonly masked: boolean
  /** Bytes of the header, its key included. */
  readonly bytes: number
  readonly length: number
}

export class FrameReader {
  readonly #peerMasks: boolean
  readonly #bounds: Bounds
  readonly #tell: (event: Event) => void
  /** Set once permessage-deflate is agreed on. */
  inflation: Inflation | undefined
  /** The keys that frames were masked with, as hexadecimal. */
  readonly keys = new Set<string>()
  #chunks: Buffer[] = []
  #held = 0
  #total = 0
  #frames = 0
  /** Bytes that must be there until it makes sense to look again. */
  #wanted = 2
  #parts: Buffer[] = []
  #length = 0
  #open: { readonly text: boolean; readonly compressed: boolean } | undefined
  #over = false

  constructor(peerMasks: boolean, bounds: Bounds, tell: (event: Event) => void) {
    this.#peerMasks = peerMasks
    this.#bounds = bounds
    this.#tell = tell
  }

  feed(chunk: Buffer): void {
    if (this.#over) return
    this.#total += chunk.length
    if (this.#total > this.#bounds.total) return this.#break(`more than ${this.#bounds.total} bytes in one case`)
    this.#chunks.push(chunk)
    this.#held += chunk.length
    while (!this.#over && this.#held >= this.#wanted && this.#next());
  }

  /** Takes one frame; false if it is not there as a whole. */
  #next(): boolean {
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks)
    this.#chunks = [bytes]
    const header = headerIn(bytes)
    if (typeof header === 'number') return this.#wait(header)
    const problem = this.#judge(header, bytes)
    if (problem !== undefined) {
      this.#break(problem)
      return false
    }
    const size = header.bytes + header.length
    if (bytes.length < size) return this.#wait(size)
    const rest = bytes.subarray(size)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#held = rest.length
    this.#wanted = 2
    this.#take(header, bytes.subarray(header.bytes - (header.masked ? 4 : 0), size))
    return true
  }

  #wait(bytes: number): false {
    this.#wanted = bytes
    return false
  }

  /** The rule that a header breaks, if any. */
  #judge({ fin, reserved, opcode, masked, length }: Header, bytes: Buffer): string | undefined {
    const isControl = opcode >= OPCODE_CLOSE
    const allowed = this.inflation !== undefined && (opcode === OPCODE_TEXT || opcode === OPCODE_BINARY) ? 4 : 0
    if ((reserved & ~allowed) !== 0) return 'a reserved bit that was not agreed on (section 5.2)'
    if (opcode > OPCODE_PONG || (opcode > OPCODE_BINARY && !isControl)) return `opcode ${opcode} (section 5.2)`
    if (masked !== this.#peerMasks) return masked ? 'a masked frame (section 5.1)' : 'an unmasked frame (section 5.1)'
    if (isControl && !fin) return 'a control frame in fragments (section 5.5)'
    if (isControl && length > LONGEST_7_BIT) return 'a control frame of more than 125 bytes (section 5.5)'
    if (opcode === OPCODE_CONTINUATION && this.#open === undefined) return 'a continuation of nothing (section 5.4)'
    if (!isControl && opcode !== OPCODE_CONTINUATION && this.#open !== undefined)
      return 'a new message within another (section 5.4)'
    if (!isShortest((bytes[1] ?? 0) & 127, length)) return 'a length that is not in its shortest form (section 5.2)'
    if (length + this.#length > this.#bounds.message) return `a message of more than ${this.#bounds.message} bytes`
    return ++this.#frames > this.#bounds.frames ? `more than ${this.#bounds.frames} frames in one case` : undefined
  }

  #take(header: Header, keyed: Buffer): void {
    let payload = keyed
    if (header.masked) {
      const key = keyed.subarray(0, 4)
      if (this.keys.size < 1000) this.keys.add(key.toString('hex'))
      payload = applyMask(keyed.subarray(4), key)
    }
    if (header.opcode >= OPCODE_CLOSE) this.#control(header.opcode, payload)
    else this.#data(header, payload)
  }

  #control(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE_PING) return this.#tell({ kind: 'ping', payload })
    if (opcode === OPCODE_PONG) return this.#tell({ kind: 'pong', payload })
    const status = readClosePayload(payload)
    if (status instanceof ProtocolViolation) return this.#break(`${status.message} (section 5.5.1)`)
    this.#over = true // what follows a Close frame counts for nothing (section 1.4)
    this.#tell({ kind: 'close', ...status })
  }

  #data({ opcode, fin, reserved }: Header, payload: Buffer): void {
    this.#open ??= { text: opcode === OPCODE_TEXT, compressed: reserved !== 0 }
    this.#parts.push(payload)
    this.#length += payload.length
    if (!fin) return
    const { text, compressed } = this.#open
    const whole = Buffer.concat(this.#parts)
    this.#open = undefined
    this.#parts = []
    this.#length = 0
    const message = compressed ? this.inflation?.inflate(whole, this.#bounds.message) : whole
    if (!Buffer.isBuffer(message)) this.#break(message ?? 'a compressed message')
    else if (text && !isUtf8(message)) this.#break('text that is not UTF-8 (section 8.1)')
    else this.#tell({ kind: 'message', text, payload: message, compressed })
  }

  #break(problem: string): void {
    this.#over = true
    this.#chunks = []
    this.#parts = []
    this.#tell({ kind: 'broken', problem })
  }
}

/** The header at the beginning, or how many bytes it has if they are not all there. */
function headerIn(bytes: Buffer): Header | number {
  const [first = 0, second = 0] = bytes
  const tier = second & 127
  const masked = (second & MASKED) !== 0
  const extended = tier <= LONGEST_7_BIT ? 0 : tier === LONGEST_7_BIT + 1 ? 2 : 8
  const size = 2 + extended + (masked ? 4 : 0)
  if (bytes.length < size) return size
  const length = extended === 0 ? tier : extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  return { fin: first >= 128, reserved: (first >> 4) & 7, opcode: first & 15, masked, bytes: size, length }
}

function isShortest(tier: number, length: number): boolean {
  if (tier <= LONGEST_7_BIT) return true
  return tier === LONGEST_7_BIT + 1 ? length > LONGEST_7_BIT : length > LONGEST_16_BIT
}
