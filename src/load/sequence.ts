// The sequence numbers of one connection: which of them has come back tells what was lost, doubled and reordered.

/** So many lost messages are remembered: one of them that comes late is reordered, an older one counts as doubled. */
const REMEMBERED = 65_536
const HALF = 2 ** 31

/** What became of messages, besides being answered in order. */
export interface Disorder {
  readonly lost: number
  readonly doubled: number
  readonly reordered: number
}

export class Sequence {
  /** The numbers that are sent and expected next; they wrap. */
  sent = 0
  next = 0
  doubled = 0
  reordered = 0
  readonly #missing = new Set<number>()
  #lost = 0
  #wrapped = false

  /** So many have been sent. */
  add(messages: number): void {
    const sent = this.sent + messages
    if (sent >= 2 ** 32) this.#wrapped = true
    this.sent = sent >>> 0
  }

  /** So many have been sent in all, as another process says. Returns whether none has come that was never sent. */
  end(sent: number): boolean {
    const isAhead = (sent - this.next) >>> 0 >= HALF
    this.sent = isAhead ? this.next : sent
    return !isAhead
  }

  /** Messages that may still be answered in order. */
  get outstanding(): number {
    return (this.sent - this.next) >>> 0
  }

  /** Messages that were passed over, and have not come since. */
  get lost(): number {
    return this.#lost + this.#missing.size
  }

  /** An answer that is not the next one. Returns how many it has passed over; -1 for one that is late; undefined if it was never sent. */
  take(number: number): number | undefined {
    const ahead = (number - this.next) >>> 0
    if (ahead < this.outstanding) {
      // Whoever sends decides how large the gap is: what would be forgotten at once is only counted.
      const forgotten = Math.max(0, ahead - REMEMBERED)
      this.#lost += forgotten
      for (let missing = forgotten; missing < ahead; missing++) this.#miss((this.next + missing) >>> 0)
      this.next = (number + 1) >>> 0
      return ahead
    }
    const known = this.#wrapped ? ahead >= HALF : number < this.next
    if (!known) return undefined
    if (this.#missing.delete(number)) this.reordered++
    else this.doubled++
    return -1
  }

  #miss(number: number): void {
    this.#missing.add(number)
    if (this.#missing.size <= REMEMBERED) return
    for (const oldest of this.#missing) {
      this.#missing.delete(oldest)
      this.#lost++
      return
    }
  }
}
