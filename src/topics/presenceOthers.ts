// What other processes have said of who is in their topics, as long as they say something: a process that is silent for its
// lease has died, and everybody in it has left.
import type { PresenceRecord } from './presenceRecords.js'
import { difference, type PresenceChange, PresenceTable } from './presenceTable.js'

interface Other {
  table: PresenceTable
  /** What it is saying of everything, until that has ended. */
  next: PresenceTable | undefined
  number: number
  lease: number
  /** When it was heard last, in milliseconds of the clock. */
  heard: number
  /** Something of it is missing: it was asked. */
  isHollow: boolean
}

export class PresenceOthers {
  readonly #others = new Map<string, Other>()
  readonly #clock: () => number
  readonly #ask: (process: string) => void
  #checked: number

  /** `ask` asks a process for everything. */
  constructor(clock: () => number, ask: (process: string) => void) {
    this.#clock = clock
    this.#ask = ask
    this.#checked = clock()
  }

  get tables(): PresenceTable[] {
    return [...this.#others.values()].map(({ table }) => table)
  }

  /** Takes what a process says; returns what that changes. */
  take(record: PresenceRecord): PresenceChange[] {
    const { from, number, kind, lease, changes = [] } = record
    if (kind === 'bye') return this.#end(from)
    const other = this.#others.get(from) ?? this.#meet(from)
    const isNext = number === other.number + 1
    Object.assign(other, { number, lease, heard: this.#clock() })
    if (kind === 'begin') {
      other.next = new PresenceTable()
      other.isHollow = false
    } else if (!isNext && !other.isHollow) {
      other.isHollow = true
      other.next = undefined
      this.#ask(from)
    }
    if (other.isHollow) return []
    const { next } = other
    if (next === undefined) return changes.flatMap((change) => other.table.apply(change) ?? [])
    for (const change of changes) next.apply(change)
    if (kind !== 'end') return []
    const before = other.table
    other.table = next
    other.next = undefined
    return difference(before, next)
  }

  /**
   * Ends who has been silent for its lease; `every` is how often this is called, in ms. Where this process itself stood
   * still, others may have said something that it has not read yet: that time does not count.
   */
  check(every: number): PresenceChange[] {
    const now = this.#clock()
    const stoodStill = Math.max(0, now - this.#checked - every)
    this.#checked = now
    const silent: string[] = []
    for (const [name, other] of this.#others) {
      if (stoodStill > every) other.heard += stoodStill
      if (now - other.heard > other.lease) silent.push(name)
      else if (other.isHollow) this.#ask(name) // the answer may have been lost, too
    }
    return silent.flatMap((name) => this.#end(name))
  }

  #meet(name: string): Other {
    const heard = this.#clock()
    const other: Other = { table: new PresenceTable(), next: undefined, number: 0, lease: 0, heard, isHollow: false }
    this.#others.set(name, other)
    return other
  }

  #end(name: string): PresenceChange[] {
    const other = this.#others.get(name)
    this.#others.delete(name)
    return other?.table.clear() ?? []
  }
}
