// Which members come from which address. To ask for an address costs a system call, so it is not asked for before it
// matters; then the oldest members are asked first, a few at a time, early enough for all to be known when it counts.
import { networkOf } from '../../protocol/ipAddress.js'

export class Addresses<Member> {
  readonly #all: ReadonlySet<Member>
  readonly #addressOf: (member: Member) => string | undefined
  readonly #networks = new Map<Member, string>()
  readonly #members = new Map<string, Set<Member>>()
  /** The networks by the number of their members. */
  readonly #bySize: Set<string>[] = []
  #largest = 0
  /** Those that have not been asked, in the order in which they came; a Set's iterator sees those that come later, too. */
  #rest: Iterator<Member> | undefined
  #complete = false

  /** `all` holds the members, the oldest first; `addressOf` tells the address of one, if it has one. */
  constructor(all: ReadonlySet<Member>, addressOf: (member: Member) => string | undefined) {
    this.#all = all
    this.#addressOf = addressOf
  }

  /** Asks `most` members that have not been asked. */
  ask(most: number): void {
    if (this.#complete) return
    this.#rest ??= this.#all.values()
    for (let asked = 0; asked < most; asked++) {
      const { done, value } = this.#rest.next()
      if (done === true) {
        this.#complete = true
        return
      }
      this.#note(value)
    }
  }

  /** A member has come. It is asked at once if all before it have been. */
  add(member: Member): void {
    if (this.#complete) this.#note(member)
  }

  remove(member: Member): void {
    const network = this.#networks.get(member)
    if (network === undefined) return
    this.#networks.delete(member)
    const members = this.#members.get(network)
    members?.delete(member)
    this.#resize(network, (members?.size ?? 0) + 1, members?.size ?? 0)
  }

  /** How many come from the network of an address. */
  count(address: string): number {
    return this.#members.get(networkOf(address))?.size ?? 0
  }

  /** Those from the network with the most members first, in the order in which they came. Nobody may change meanwhile. */
  *mostCrowded(): Generator<Member, undefined> {
    for (let size = this.#largest; size > 0; size--) {
      for (const network of this.#bySize[size] ?? []) yield* this.#members.get(network) ?? []
    }
  }

  /** Drops all addresses, because they do not matter any more. */
  clear(): void {
    if (this.#rest === undefined) return
    this.#rest = undefined
    this.#complete = false
    this.#networks.clear()
    this.#members.clear()
    this.#bySize.length = this.#largest = 0
  }

  #note(member: Member): void {
    if (this.#networks.has(member)) return
    const address = this.#addressOf(member)
    if (address === undefined) return
    const network = networkOf(address)
    const members = this.#members.get(network) ?? new Set()
    this.#members.set(network, members.add(member))
    this.#networks.set(member, network)
    this.#resize(network, members.size - 1, members.size)
  }

  #resize(network: string, before: number, after: number): void {
    this.#bySize[before]?.delete(network)
    if (after === 0) this.#members.delete(network)
    else {
      const row = this.#bySize[after] ?? new Set()
      this.#bySize[after] = row.add(network)
    }
    if (after > this.#largest) this.#largest = after
    else if (before === this.#largest && this.#bySize[before]?.size === 0) this.#largest = after
  }
}
