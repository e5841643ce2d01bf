// Counts the reads that the frame under way has come in: a peer that sends it in tiny pieces is let down behind so many, as
// ws does, which keeps each of them.

export class ChunkCount {
  #count = 0
  #remaining = 0

  /** Whether there are `most` already; 0 is any number. */
  isFull(most: number): boolean {
    return most > 0 && this.#count >= most
  }

  /** There was a read of so many bytes; `remaining` of the frame under way are still to come. */
  read(bytes: number, remaining: number): void {
    const goesOn = remaining === this.#remaining - bytes
    this.#remaining = remaining
    if (remaining === 0) this.#count = 0
    else this.#count = goesOn ? this.#count + 1 : 1
  }
}
