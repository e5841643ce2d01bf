// Counts the messages in what a server sends, however its bytes are cut. Nothing is copied and no payload is looked at,
// so that the load client costs little; that the payloads are right is what the tests are for.

const FIN = 0x80
const MASK = 0x80
const CLOSE = 8
const LONGEST_HEADER = 10

/** A message that ended: its length, and whether it is Close. Control frames other than Close are skipped. */
export type Ended = (length: number, isClose: boolean) => void

export class FrameCounter {
  readonly #ended: Ended
  readonly #header = Buffer.alloc(LONGEST_HEADER)
  /** Bytes of the header under way that are there. */
  #have = 0
  /** Payload bytes that are still to come. */
  #remaining = 0
  #inPayload = false
  /** Payload bytes of the message under way. */
  #length = 0

  constructor(ended: Ended) {
    this.#ended = ended
  }

  /** Forgets what it has begun: for another connection. */
  reset(): void {
    this.#have = this.#remaining = this.#length = 0
    this.#inPayload = false
  }

  /** Takes some bytes. Throws an Error for a masked frame, which no server may send. */
  feed(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length || (this.#inPayload && this.#remaining === 0)) {
      if (!this.#inPayload) {
        this.#header[this.#have++] = chunk[at++] ?? 0
        this.#begin()
      } else {
        const bytes = Math.min(this.#remaining, chunk.length - at)
        at += bytes
        this.#remaining -= bytes
        if (this.#remaining === 0) this.#end()
      }
    }
  }

  /** Begins the payload if the header is complete. */
  #begin(): void {
    const header = this.#header
    if (this.#have < 2) return
    const second = header[1] ?? 0
    if ((second & MASK) !== 0) throw new Error('the server sent a masked frame')
    const extended = second < 126 ? 0 : second === 126 ? 2 : 8
    if (this.#have < 2 + extended) return
    if (extended === 0) this.#remaining = second
    else if (extended === 2) this.#remaining = header.readUInt16BE(2)
    else this.#remaining = header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
    this.#inPayload = true
    this.#have = 0
    if (!this.#isControl) this.#length += this.#remaining
  }

  get #isControl(): boolean {
    return ((this.#header[0] ?? 0) & 8) !== 0
  }

  #end(): void {
    const first = this.#header[0] ?? 0
    this.#inPayload = false
    if ((first & 15) === CLOSE) this.#ended(0, true)
    if (this.#isControl || (first & FIN) === 0) return
    const length = this.#length
    this.#length = 0
    this.#ended(length, false)
  }
}
