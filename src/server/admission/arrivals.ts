// The connections that have not become WebSockets: bounded in number and in memory, whichever lane they are in. A newcomer
// always finds a place. If no place is left, the oldest connection of the address with the most connections goes. So peers
// that connect and say nothing can't keep others out; they push out their own connections first.
import type { Duplex } from 'node:stream'
import type { MemoryBook } from '../../memory/holder.js'
import { Addresses } from './addresses.js'

/** A connection that has not become a WebSocket. */
export interface Arrival {
  /** The peer's address, or the one that a proxy reported. It is asked for only when places are getting few. */
  readonly remoteAddress: string | undefined
  /** An estimate of the bytes that it may make the server hold, without those that are counted elsewhere. */
  readonly cost: number
  /** Ends the connection, because others need its place. Returns false if it must not end. */
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

/** What part of the arrivals goes when the system has no descriptors left, and how many at most. */
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

  /** Set while connections are made to go: one that is refused now must not take another place for its answer. */
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

  /** The connection has become a WebSocket, or has ended. */
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
      // A connection that may stay moves to the end of the line.
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
