// The connections that have not become WebSockets: bounded in number and in memory, whichever lane they are in. A newcomer
// always finds a place. Where there is none left, the oldest goes of those from the address that has the most: peers that
// connect and say nothing keep others out no longer than that, and themselves first.
import type { Duplex } from 'node:stream'
import type { MemoryBook } from '../../memory/holder.js'
import { Addresses } from './addresses.js'

/** A connection that has not become a WebSocket. */
export interface Arrival {
  /** The peer's address, or what a proxy said of it. Is asked for only where places are getting few. */
  readonly remoteAddress: string | undefined
  /** Bytes that it may make the server hold, estimated; what is counted elsewhere left out. */
  readonly cost: number
  /** Others need the place: it ends. False where that would be wrong. */
  giveWay(): boolean
}

export interface Places {
  readonly connections: number
  /** Bytes of their estimated costs. */
  readonly bytes: number
}

/** What has been used of the places when addresses begin to matter, and below which part they don't any more. */
const NEAR = 3 / 4
const FAR = 1 / 2

/** So many older arrivals are asked for their address at a time: all of them by the time the places are used up. */
const ASKED_AT_ONCE = 4

/** So many are asked to go at a time. */
const MOST_ASKED = 8

/** What part of them goes where the system has no descriptors left, and how many at most. */
const SHED = 1 / 8
const MOST_SHED = 256

export class Arrivals {
  readonly #all = new Set<Arrival>()
  readonly #addresses = new Addresses(this.#all, ({ remoteAddress }) => remoteAddress ?? 'unknown')
  readonly #most: Places
  readonly #book: MemoryBook
  #bytes = 0
  #makingRoom = false

  constructor(most: Places, book: MemoryBook) {
    this.#most = most
    this.#book = book
  }

  /** Somebody is made to go: whoever is refused now must not take another place for its answer. */
  get makingRoom(): boolean {
    return this.#makingRoom
  }

  get size(): number {
    return this.#all.size
  }

  has(arrival: Arrival): boolean {
    return this.#all.has(arrival)
  }

  /** All of them, in the order in which they came. */
  [Symbol.iterator](): Iterator<Arrival> {
    return this.#all.values()
  }

  add(arrival: Arrival): void {
    this.#keep(arrival)
    const used = this.#used
    if (used <= NEAR || this.#makingRoom) return
    this.#addresses.ask(used > 1 ? Infinity : ASKED_AT_ONCE)
    this.#askToGo(MOST_ASKED, () => this.#used <= 1, arrival)
  }

  /** The system has no descriptor for a newcomer: some make room, so that the next ones find it. */
  shed(): void {
    this.#addresses.ask(Infinity)
    this.#askToGo(Math.min(Math.ceil(this.#all.size * SHED), MOST_SHED), () => false)
  }

  /** It is one no longer, or has ended. */
  delete(arrival: Arrival): void {
    if (!this.#all.delete(arrival)) return
    const { cost } = arrival
    this.#addresses.remove(arrival)
    this.#bytes -= cost
    this.#book.discharge(cost)
    if (this.#used < FAR && !this.#makingRoom) this.#addresses.clear()
  }

  /** The share of the places that is used. */
  get #used(): number {
    return Math.max(this.#all.size / this.#most.connections, this.#bytes / this.#most.bytes)
  }

  #askToGo(most: number, enough: () => boolean, newcomer?: Arrival): void {
    this.#makingRoom = true
    try {
      for (let asked = 0; asked < most && !enough(); asked++) this.#makeRoom(newcomer)
    } finally {
      this.#makingRoom = false
    }
  }

  #makeRoom(newcomer: Arrival | undefined): void {
    for (const arrival of this.#addresses.mostCrowded()) {
      if (arrival === newcomer) continue
      this.delete(arrival)
      // Whoever may stay has its place anew, behind all others.
      if (!arrival.giveWay()) this.#keep(arrival)
      return
    }
  }

  #keep(arrival: Arrival): void {
    const { cost } = arrival
    this.#addresses.add(arrival)
    this.#all.add(arrival)
    this.#bytes += cost
    this.#book.charge(cost)
  }
}

/** The address of a socket's peer, while that is known. */
export function addressOf(socket: Duplex): string | undefined {
  if (socket.destroyed) return undefined // some sockets remember it, others don't
  const address: unknown = Reflect.get(socket, 'remoteAddress')
  return typeof address === 'string' ? address : undefined
}
