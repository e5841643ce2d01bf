// Who goes when room is needed: first what remains of connections that have gone, then the connection that holds the most.
import { runOutside } from '../internals/context.js'
import type { Holder } from './holder.js'
import { Ranks } from './ranks.js'
import type { Remains } from './remains.js'

export class Evictions {
  readonly #remains: Remains
  readonly #ranks = new Ranks()
  /** Those who were told to go, and have not left yet. */
  readonly #leaving = new Set<Holder>()
  #leavingBytes = 0

  constructor(remains: Remains) {
    this.#remains = remains
  }

  /** Bytes that are free when those who were told to go have left. */
  get leaving(): number {
    return this.#leavingBytes
  }

  /** `holder` holds `bytes` more. */
  attribute(holder: Holder, bytes: number): void {
    const before = holder.held
    holder.held = before + bytes
    if (this.#leaving.size > 0 && this.#leaving.has(holder)) this.#leavingBytes += bytes
    else this.#ranks.move(holder, before)
  }

  /** `holder` has ended, whether it was told to or not. */
  leave(holder: Holder): void {
    this.#ranks.remove(holder)
    if (this.#leaving.delete(holder)) this.#leavingBytes -= holder.held
  }

  /** The next one goes, of those who hold more than `held` bytes; false if there is none. */
  next(held: number): boolean {
    if (this.#remains.lose()) return true
    const { largest } = this.#ranks
    if (largest === undefined || largest.held <= held) return false
    this.#evict(largest)
    return true
  }

  /** Ends the holder in a turn of its own: the caller who needs the room may be in the middle of something. */
  #evict(holder: Holder): void {
    this.#ranks.remove(holder)
    this.#leaving.add(holder)
    this.#leavingBytes += holder.held
    queueMicrotask(() => runOutside(() => holder.evicted()))
  }
}
