// Work that is done once in the next turn of the event loop, however often it is asked for until then.
export class Soon {
  readonly #work: () => void
  #asked = false

  /** `work` must not throw. */
  constructor(work: () => void) {
    this.#work = work
  }

  /** Asks for the work to be done in the next turn. */
  ask(): void {
    if (this.#asked) return
    this.#asked = true
    setImmediate(() => {
      this.#asked = false
      this.#work()
    })
  }
}
