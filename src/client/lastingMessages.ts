// The messages of a connection that lasts, as one iterator: where those of one connection end, those of the next follow. A loop
// that is slow must not miss what the next connection brings while it is still busy with a message of the one before.
import type { Messages } from '../connection/connection.js'
import type { Message } from '../connection/message.js'

const DONE = { done: true, value: undefined } as const

/** The connection that the loop reads from, another one whose messages wait, and the newest. */
const MOST = 3

export class LastingMessages implements Messages {
  /** The messages of the connections that there were, from the one that is read on. */
  readonly #sources: Messages[] = []
  /** Resolves with true when there is another connection, and with false when there will be none. */
  readonly #another: () => Promise<boolean>
  /** The loop has been left, and there is no other one yet. */
  #isLeft = false
  /** How often it has been left: who waits for a message, or for a connection, then gets none. */
  #left = 0
  /** Who waits for another connection. */
  readonly #waiting = new Set<() => void>()

  constructor(first: Messages, another: () => Promise<boolean>) {
    this.#sources.push(first)
    this.#another = another
  }

  /** A loop begins, perhaps after an earlier one was left. */
  enter(): this {
    this.#isLeft = false
    return this
  }

  /** There is another connection. From now on, its messages wait for the loop. */
  follow(source: Messages): void {
    // Those between have ended, and have not been read: all but the first of them were held back until the loop comes.
    if (this.#sources.length >= MOST) this.#sources.pop()
    this.#sources.push(source)
    if (this.#isLeft || this.#sources.length >= MOST) void source.return?.()
  }

  async next(): Promise<IteratorResult<Message, undefined>> {
    const left = this.#left
    do {
      for (let source = this.#sources[0]; source !== undefined; source = this.#sources[0]) {
        const result = await source.next()
        if (result.done !== true) return result
        if (left !== this.#left) return DONE
        if (this.#sources[0] === source) this.#sources.shift()
      }
    } while (await this.#next(left))
    return DONE
  }

  /** Resolves with true when there is another connection, and with false when the loop is left before, or there will be none. */
  async #next(left: number): Promise<boolean> {
    let leave: () => void = () => undefined
    const leaving = new Promise<boolean>((resolve) => {
      leave = () => resolve(false)
    })
    this.#waiting.add(leave)
    const isThere = await Promise.race([this.#another(), leaving])
    this.#waiting.delete(leave)
    return isThere && left === this.#left
  }

  /** The loop is left: what has not been read of connections that have ended is gone, and others wait for the next loop. */
  async return(): Promise<IteratorResult<Message, undefined>> {
    this.#left++
    this.#isLeft = true
    for (const leave of this.#waiting) leave()
    for (const source of this.#sources) void source.return?.()
    this.#sources.splice(0, this.#sources.length - 1)
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
