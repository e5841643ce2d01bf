// The memory that the windows of compressed connections take, and the most that they may. It is apart from the budget: a
// window lives as long as its connection, which nobody wants to end for it. Whoever finds no room does without.

export class Windows {
  /** Bytes that they may take. */
  readonly most: number
  #used = 0

  constructor(most: number) {
    this.most = most
  }

  /** Bytes that they take. */
  get used(): number {
    return this.#used
  }

  /** Whether there is room for `bytes` more. */
  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.most
  }

  /** Takes `bytes` more, for which there was room. */
  charge(bytes: number): void {
    this.#used += bytes
  }

  /** Takes `bytes` more; false if there is no room. */
  take(bytes: number): boolean {
    if (!this.hasRoom(bytes)) return false
    this.#used += bytes
    return true
  }

  /** Gives `bytes` back. */
  give(bytes: number): void {
    this.#used -= bytes
  }
}
