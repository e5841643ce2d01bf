// How many connections there are, in all and from each address.
import type { Connection } from '../../connection/connection.js'
import { type Refusal, refuse } from '../../protocol/openingHandshake.js'
import { Addresses } from './addresses.js'

export interface CensusLimits {
  /** How many connections may be open at once. Further ones are refused with 503. Default: 100,000. */
  readonly maxConnections: number
  /**
   * How many connections one address may have open at once. Further ones are refused with 429. Of an IPv6 address, the
   * first 64 bits count. Behind a proxy, all clients share one address, unless the proxy is trusted (see
   * `trustedProxies`). Default: 7/8 of `maxConnections`, rounded up, so that no single address can take all
   * connections.
   */
  readonly maxConnectionsPerAddress: number
}

/** How near to the limit addresses begin to matter, and below which part of it they don't any more. */
const NEAR = 3 / 4
const FAR = 1 / 2

/** From there on, so many older connections are asked at each arrival: all of them by the time the limit is reached. */
const ASKED_AT_ONCE = 4

export class Census {
  readonly connections: ReadonlySet<Connection<unknown>>
  readonly #limits: CensusLimits
  /** Addresses cost a system call each, so they are only asked for where their limit may be reached soon. */
  readonly #addresses: Addresses<Connection<unknown>>

  /** `connections` add and remove themselves. */
  constructor(limits: CensusLimits, connections: ReadonlySet<Connection<unknown>>) {
    this.connections = connections
    this.#limits = limits
    this.#addresses = new Addresses(connections, ({ remoteAddress }) => remoteAddress)
  }

  /** The refusal of one more connection, or undefined if there is room. Its address is asked for only where it counts. */
  refusal(newcomer: { readonly remoteAddress: string | undefined }): Refusal | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits
    const { size } = this.connections
    if (size >= maxConnections) return refuse(503, `too many connections: maxConnections is ${maxConnections}`)
    if (maxConnectionsPerAddress >= maxConnections || size < NEAR * maxConnectionsPerAddress - 1) return undefined
    this.#addresses.ask(size < maxConnectionsPerAddress ? ASKED_AT_ONCE : Infinity)
    if (size < maxConnectionsPerAddress) return undefined // so nobody has as many
    const from = newcomer.remoteAddress
    if (from === undefined || this.#addresses.count(from) < maxConnectionsPerAddress) return undefined
    return refuse(
      429,
      `too many connections from this address: maxConnectionsPerAddress is ${maxConnectionsPerAddress}`,
    )
  }

  /** A connection is opening. */
  add(connection: Connection<unknown>): void {
    this.#addresses.add(connection)
  }

  /** A connection has ended. */
  remove(connection: Connection<unknown>): void {
    this.#addresses.remove(connection)
    if (this.connections.size < FAR * this.#limits.maxConnectionsPerAddress - 1) this.#addresses.clear()
  }
}
