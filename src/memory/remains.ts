// What handlers, loops and readers of connections that have ended still keep: it counts until they are done with it, or
// until nobody can reach it any more. Nobody can be ended to get it back, so where room is needed, the oldest payloads are
// given up, and whoever still asks for one is told that it is gone. The objects around them stay, and count on.
import { networkOf } from '../protocol/ipAddress.js'
import type { MemoryBook } from './holder.js'

/** Whoever keeps payloads. It is held weakly: what is kept only for a promise that nobody can settle is collected. */
export interface Keeper {
  /** Gives up the payloads that are only its own. */
  lose(): void
}

/** Where what remains is counted. */
export interface RemainsBook extends MemoryBook {
  hasRoom(bytes: number): boolean
}

/** The remains of all connections that share a budget. */
export class Remains {
  readonly book: RemainsBook
  /** Bytes of objects, which can't be given up. */
  #objects = 0
  /** The same by the network from which the connections came. */
  readonly #byNetwork = new Map<string, number>()
  /** Those whose payloads can be given up, the oldest first. */
  readonly losable = new Set<Remainder>()

  constructor(book: RemainsBook) {
    this.book = book
  }

  /** Bytes that nobody can get back. */
  get objects(): number {
    return this.#objects
  }

  /** Notes that connections from `network` have left `bytes` more, or less, that nobody can get back. */
  note(network: string, bytes: number): void {
    this.#objects += bytes
    const own = (this.#byNetwork.get(network) ?? 0) + bytes
    if (own === 0) this.#byNetwork.delete(network)
    else this.#byNetwork.set(network, own)
  }

  /** Whether an address has left no less of it than all addresses on average. */
  isLarge(address: string | undefined): boolean {
    const own = this.#byNetwork.get(networkOf(address ?? '')) ?? 0
    return own * this.#byNetwork.size >= this.#objects
  }

  /** Gives up the oldest payloads; false if there are none. */
  lose(): boolean {
    for (const remainder of this.losable) {
      remainder.lose()
      return true
    }
    return false
  }
}

const collected = new FinalizationRegistry<Remainder>((remainder) => remainder.end())

/** What one keeper still keeps. */
export class Remainder {
  readonly #remains: Remains
  readonly #keeper: WeakRef<Keeper>
  readonly #network: string
  #payloads = 0
  #objects = 0
  #lost = false

  /** What `keeper` keeps for a connection that came from `network`. */
  constructor(remains: Remains, keeper: Keeper, network: string) {
    this.#remains = remains
    this.#network = network
    this.#keeper = new WeakRef(keeper)
    collected.register(keeper, this)
  }

  /** Takes over bytes of payloads and objects, which are charged already. */
  take(payloads: number, objects: number): void {
    this.#add(payloads, objects)
  }

  /** Notes that payloads of `bytes` more are kept; false where there is no room for them, and they must not be. */
  charge(bytes: number): boolean {
    const { book } = this.#remains
    if (this.#lost || !book.hasRoom(bytes)) return false
    this.#add(bytes, 0)
    book.charge(bytes)
    return true
  }

  /** Gives back what is kept no longer. */
  release(payloads: number, objects: number): void {
    this.#add(-payloads, -objects)
    this.#remains.book.discharge(payloads + objects)
  }

  /** Gives up the payloads: from now on, none are kept. */
  lose(): void {
    this.#lost = true
    this.#remains.losable.delete(this)
    this.#keeper.deref()?.lose()
    this.release(this.#payloads, 0)
  }

  /** The keeper was garbage-collected: nothing is kept any more. */
  end(): void {
    this.release(this.#payloads, this.#objects)
  }

  #add(payloads: number, objects: number): void {
    const { losable } = this.#remains
    this.#payloads += payloads
    this.#objects += objects
    if (objects !== 0) this.#remains.note(this.#network, objects)
    if (this.#payloads > 0) losable.add(this)
    else losable.delete(this)
  }
}
