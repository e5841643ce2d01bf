// The frame headers in a stream of bytes, as text for people (RFC 6455, section 5.2). It judges nothing and keeps no
// payload: it is there to show what went over the wire, whatever that was.
import { Buffer } from 'node:buffer'
import { FIN, MASKED } from './wasm.generated.js'

const NAMES: Readonly<Record<number, string>> = {
  0: 'continuation',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
}
/** RSV1, RSV2 and RSV3, from the highest on. */
const RESERVED = [0x40, 0x20, 0x10]

/** The first byte of "HTTP/1.1". No frame begins with it, because no extension reserves a bit of a Close frame. */
const HTTP = 0x48
const END_OF_HEAD = '\r\n\r\n'

export class FrameHeaders {
  readonly #tell: (header: string) => void
  /** The bytes of a header that is cut. */
  #header: number[] = []
  /** Bytes until the next header. */
  #remaining = 0
  #begun = false

  /** `tell` is called for each header, as soon as it is whole. */
  constructor(tell: (header: string) => void) {
    this.#tell = tell
  }

  /** Follows the next bytes of the stream. A response of the opening handshake may come first. */
  follow(bytes: Uint8Array): void {
    let at = this.#begun ? 0 : lengthOfResponse(bytes)
    this.#begun = true
    while (at < bytes.length) {
      const payload = Math.min(this.#remaining, bytes.length - at)
      this.#remaining -= payload
      at += payload
      if (at < bytes.length) this.#take(bytes[at++] ?? 0)
    }
  }

  #take(byte: number): void {
    const header = this.#header
    header.push(byte)
    const [first = 0, second = 0] = header
    const tier = second & 0x7f
    const extended = tier < 126 ? 0 : tier === 126 ? 2 : 8
    const masked = (second & MASKED) !== 0
    if (header.length < 2 + extended + (masked ? 4 : 0)) return
    this.#remaining = extended === 0 ? tier : header.slice(2, 2 + extended).reduce((sum, one) => sum * 256 + one, 0)
    this.#header = []
    this.#tell(describe(first, masked, this.#remaining))
  }
}

function describe(first: number, masked: boolean, length: number): string {
  const opcode = first & 0x0f
  const words = [NAMES[opcode] ?? `opcode ${opcode}`]
  if ((first & FIN) !== 0) words.push('fin')
  for (const [index, bit] of RESERVED.entries()) if ((first & bit) !== 0) words.push(`rsv${index + 1}`)
  if (masked) words.push('masked')
  return `${words.join(' ')}, ${length} ${length === 1 ? 'byte' : 'bytes'}`
}

function lengthOfResponse(bytes: Uint8Array): number {
  if (bytes[0] !== HTTP) return 0
  const text = Buffer.from(bytes).toString('latin1')
  return text.indexOf(END_OF_HEAD) + END_OF_HEAD.length
}
