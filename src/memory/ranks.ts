// Who holds the most, in constant time: holders stand in rows by the power of two of what they hold.
import type { Holder } from './holder.js'
import { Roster } from './roster.js'

/** As a power of two, in bytes. A holder that holds less is in no row, because ending it would gain nothing. */
const LEAST = 12

export class Ranks {
  readonly #rows: Roster<Holder>[] = []

  /** A holder of the highest row; undefined if nobody holds much. */
  get largest(): Holder | undefined {
    for (let row = this.#rows.length - 1; row >= 0; row--) {
      const first = this.#rows[row]?.first
      if (first !== undefined) return first
    }
    return undefined
  }

  /** What `holder` holds has changed; it was `before`. One that is gone leaves its row and enters no other. */
  move(holder: Holder, before: number): void {
    const from = rowOf(before)
    const to = rowOf(holder.held)
    if (from === to) return
    if (from >= 0) this.#rows[from]?.delete(holder)
    if (to >= 0 && !holder.gone) this.#row(to).add(holder)
  }

  remove(holder: Holder): void {
    const row = rowOf(holder.held)
    if (row >= 0) this.#rows[row]?.delete(holder)
  }

  #row(at: number): Roster<Holder> {
    for (let next = this.#rows.length; next <= at; next++) this.#rows.push(new Roster())
    return this.#rows[at] ?? new Roster()
  }
}

function rowOf(bytes: number): number {
  return 31 - Math.clz32(Math.min(bytes, 2 ** 31)) - LEAST
}
