// What a client must insist on (RFC 6455, section 5): frames that a server may not send are faults, and messages come out
// whole. Fast enough for millions of frames; test/support/referenceParser.ts is the oracle of the codec.
import { Buffer, isUtf8 } from 'node:buffer'
import { BINARY, CLOSE, PING, PONG, TEXT } from './frames.js'

/** Whoever takes what a server has sent. */
export interface Taker {
  message(isText: boolean, payload: Buffer): void
  ping(payload: Buffer): void
  pong(payload: Buffer): void
  close(payload: Buffer): void
  /** The server has broken a rule; nothing more is parsed. */
  broken(rule: string): void
}

interface Header {
  readonly first: number
  readonly start: number
  readonly length: number
}

const NOTHING: Buffer = Buffer.alloc(0)

export class StrictParser {
  readonly #taker: Taker
  /** Inflates a message, if compression was agreed on (RFC 7692). Throws for one that is none. */
  readonly #inflate: (() => ((payload: Buffer) => Buffer) | undefined) | undefined
  #rest: Buffer[] = []
  #held = 0
  /** How many bytes must be there before it is worth looking again. */
  #needed = 2
  #fragments: Buffer[] = []
  #opcode = 0
  #compressed = false
  #over: 'closed' | 'broken' | undefined

  constructor(taker: Taker, inflate?: () => ((payload: Buffer) => Buffer) | undefined) {
    this.#taker = taker
    this.#inflate = inflate
  }

  /** Whether the last frame came whole: nothing is left of it. */
  get whole(): boolean {
    return this.#held === 0
  }

  take(chunk: Buffer): void {
    if (this.#over === 'broken') return
    if (this.#over === 'closed') return this.#break('bytes after Close (section 5.5.1)')
    this.#rest.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#needed) return
    const bytes = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest)
    const at = this.#frames(bytes)
    const rest = bytes.subarray(at)
    this.#held = rest.length
    this.#rest = rest.length === 0 ? [] : [rest]
  }

  #frames(bytes: Buffer): number {
    for (let at = 0; ; ) {
      const left = bytes.length - at
      if (this.#over !== undefined) {
        if (this.#over === 'closed' && left > 0) this.#break('bytes after Close (section 5.5.1)')
        return bytes.length
      }
      const header = left < 2 ? 2 : this.#header(bytes, at)
      if (typeof header === 'number') {
        this.#needed = header
        return at
      }
      if (header.start + header.length > bytes.length) {
        this.#needed = header.start + header.length - at
        return at
      }
      at = header.start + header.length
      this.#frame(header.first, bytes.subarray(header.start, at))
    }
  }

  /** The header at `at`, or how many bytes it takes to know it. */
  #header(bytes: Buffer, at: number): Header | number {
    const [first, second] = [bytes[at] ?? 0, bytes[at + 1] ?? 0]
    this.#check(first, second)
    if (this.#over !== undefined) return 2
    if (second < 126) return { first, start: at + 2, length: second }
    const extended = second === 126 ? 2 : 8
    if (bytes.length < at + 2 + extended) return 2 + extended
    const length = extended === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (length <= (extended === 2 ? 125 : 65_535))
      this.#break(`a length of ${length} in ${extended} bytes (section 5.2)`)
    else if (length > 2 ** 27) this.#break(`a frame of ${length} bytes, which nobody has sent`)
    return { first, start: at + 2 + extended, length }
  }

  #check(first: number, second: number): void {
    const opcode = first & 15
    const fin = first >= 0x80
    const marked = (first & 0x70) === 0x40 && (opcode === TEXT || opcode === BINARY)
    if ((first & 0x70) !== 0 && !(marked && this.#inflate?.() !== undefined))
      this.#break(`reserved bits in ${first.toString(16)} (section 5.2; RFC 7692, section 6)`)
    else if (![0, TEXT, BINARY, CLOSE, PING, PONG].includes(opcode)) this.#break(`opcode ${opcode} (section 5.2)`)
    else if (second >= 0x80) this.#break('a mask (section 5.1)')
    else if (opcode >= CLOSE && (!fin || second > 125)) this.#break('a control frame that is long or cut (section 5.5)')
    else if (opcode === 0 && this.#opcode === 0) this.#break('a continuation of nothing (section 5.4)')
    else if (opcode !== 0 && opcode < CLOSE && this.#opcode !== 0) this.#break('a message amid another (section 5.4)')
  }

  #frame(first: number, payload: Buffer): void {
    const opcode = first & 15
    if (opcode === PING) return this.#taker.ping(payload)
    if (opcode === PONG) return this.#taker.pong(payload)
    if (opcode === CLOSE) return this.#close(payload)
    if (opcode !== 0) {
      this.#opcode = opcode
      this.#compressed = (first & 0x40) !== 0
    }
    if (first < 0x80) return void this.#fragments.push(payload)
    const isText = this.#opcode === TEXT
    const joined = this.#fragments.length === 0 ? payload : Buffer.concat([...this.#fragments, payload])
    this.#opcode = 0
    this.#fragments = []
    const whole = this.#compressed ? this.#inflated(joined) : joined
    if (whole === undefined) return this.#break(`what is no DEFLATE, in ${joined.length} bytes (RFC 7692)`)
    if (isText && !isUtf8(whole)) this.#break('text that is no UTF-8 (section 8.1)')
    else this.#taker.message(isText, whole)
  }

  #inflated(payload: Buffer): Buffer | undefined {
    try {
      return this.#inflate?.()?.(payload)
    } catch {
      return undefined
    }
  }

  #close(payload: Buffer): void {
    if (payload.length === 1 || !isUtf8(payload.subarray(2))) return this.#break('a wrong Close (section 5.5.1)')
    this.#over = 'closed'
    this.#taker.close(payload)
  }

  #break(rule: string): void {
    if (this.#over === 'broken') return
    this.#over = 'broken'
    this.#rest = [NOTHING]
    this.#taker.broken(rule)
  }
}
