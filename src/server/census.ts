// How many connections there are, in all and from each address.
import type { Connection } from '../connection/connection.js'
import { type Refusal, refuse } from '../protocol/openingHandshake.js'

export interface CensusLimits {
  /** Most connections at once; more are refused with 503. Default 100,000. */
  readonly maxConnections: number
  /**
   * Most connections at once from one address; more are refused with 429. Behind a proxy all share one address unless
   * it is trusted. Default 100,000.
   */
  readonly maxConnectionsPerAddress: number
}

export class Census {
  readonly connections: ReadonlySet<Connection<unknown>>
  readonly #limits: CensusLimits
  /** Addresses cost a system call each, so they are only asked for where their limit can be reached. */
  readonly #counts: boolean
  readonly #addresses = new Map<Connection<unknown>, string>()
  readonly #perAddress = new Map<string, number>()

  /** `connections` add and remove themselves. */
  constructor(limits: CensusLimits, connections: ReadonlySet<Connection<unknown>>) {
    this.connections = connections
    this.#limits = limits
    this.#counts = limits.maxConnectionsPerAddress < limits.maxConnections
  }

  /** Why one more can't be admitted, if it can't. */
  refusal(address: () => string | undefined): Refusal | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits
    if (this.connections.size >= maxConnections) return refuse(503, `maxConnections is ${maxConnections}`)
    if (!this.#counts) return undefined
    const from = address()
    if (from === undefined || (this.#perAddress.get(from) ?? 0) < maxConnectionsPerAddress) return undefined
    return refuse(429, `maxConnectionsPerAddress is ${maxConnectionsPerAddress}`)
  }

  /** A connection is opening. */
  add(connection: Connection<unknown>): void {
    const address = this.#counts ? connection.remoteAddress : undefined
    if (address === undefined) return
    this.#addresses.set(connection, address)
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
  }

  /** A connection has ended. */
  remove(connection: Connection<unknown>): void {
    const address = this.#addresses.get(connection)
    if (address === undefined) return
    this.#addresses.delete(connection)
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(address)
    else this.#perAddress.set(address, left)
  }
}
