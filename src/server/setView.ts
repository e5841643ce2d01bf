// What an application sees of a set that belongs to the server: `ReadonlySet` is a promise of the types alone, and the
// server counts on its sets.
import { inspect } from 'node:util'

/** Reads a set, and has nothing that changes it. It always shows what the set holds at the moment. */
export class SetView<Member> implements ReadonlySet<Member> {
  readonly #members: ReadonlySet<Member>

  constructor(members: ReadonlySet<Member>) {
    this.#members = members
    Object.freeze(this)
  }

  get size(): number {
    return this.#members.size
  }

  has(member: Member): boolean {
    return this.#members.has(member)
  }

  /** Calls once for each member, with this view as the third argument. */
  forEach(call: (member: Member, same: Member, members: ReadonlySet<Member>) => void, receiver?: unknown): void {
    this.#members.forEach((member) => {
      call.call(receiver, member, member, this)
    })
  }

  [Symbol.iterator](): SetIterator<Member> {
    return this.#members.values()
  }

  values(): SetIterator<Member> {
    return this.#members.values()
  }

  keys(): SetIterator<Member> {
    return this.#members.keys()
  }

  entries(): SetIterator<[Member, Member]> {
    return this.#members.entries()
  }

  /** Prints as a set does. The set that is printed is a copy. */
  [inspect.custom](): ReadonlySet<Member> {
    return new Set(this.#members)
  }
}
