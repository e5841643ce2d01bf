// One connection to NATS that is made anew whenever it is lost. As with Redis, each attempt is a client of its own, so that
// nothing of an old one is sent again, and what was not confirmed is known.
import { callerError } from '../checks/errors.js'
import { OpenedSockets } from '../internals/openedSockets.js'
import { packageFor } from '../internals/packages.js'
import { inTime } from '../time/inTime.js'
import { Retry } from './retry.js'

/** The package is loaded when the first broker is made, so that an error can say that it is missing. */
const nats = () => packageFor<typeof import('@nats-io/transport-node')>('millrace/nats', '@nats-io/transport-node')

export type NatsClient = Awaited<ReturnType<ReturnType<typeof nats>['connect']>>

export interface NatsEvents {
  /** The connection can be used. */
  up(client: NatsClient): void
  /** The connection is lost, or could not be made. */
  down(error: Error): void
  /** The server has refused something. */
  refused(error: Error): void
}

/** Where the servers are, and who we are. */
export interface NatsAddress {
  readonly servers: string[]
  readonly tls?: Record<string, never>
  readonly user?: string
  readonly pass?: string
  readonly token?: string
}

/**
 * Reads `nats://` or `tls://`, `[user:password@ or token@]host[:port]`, or several of them with commas between. Throws a
 * TypeError for anything else, and an Error where @nats-io/transport-node is not installed.
 */
export function natsAddress(address: string): NatsAddress {
  nats()
  const urls = `${address}`.split(',').map((part) => (URL.canParse(part) ? new URL(part) : undefined))
  const servers = urls.map((url) => (url !== undefined && /^(nats|tls):$/.test(url.protocol) ? url.host : ''))
  const [first] = urls
  if (first === undefined || servers.includes(''))
    throw callerError(
      'ERR_NATS_ADDRESS',
      'the address of the NATS server is wrong: it must be nats://host or tls://host',
    )
  const [name, pass] = [decodeURIComponent(first.username), decodeURIComponent(first.password)]
  const tls = first.protocol === 'tls:' ? { tls: {} } : {}
  if (name === '') return { servers, ...tls }
  return { servers, ...tls, ...(pass === '' ? { token: name } : { user: name, pass }) }
}

export class NatsConnection {
  readonly #address: NatsAddress
  readonly #timeout: number
  readonly #events: NatsEvents
  #client: NatsClient | undefined
  /** Those of the latest attempt: the client leaves a socket open to a server that says nothing. */
  #sockets = new OpenedSockets()
  #isClosed = false
  readonly #retry = new Retry()

  /** `timeout`: ms in which NATS must let us in, and then answer a ping. */
  constructor(address: NatsAddress, timeout: number, events: NatsEvents) {
    this.#address = address
    this.#timeout = timeout
    this.#events = events
  }

  /** The client, while it can be used. */
  get client(): NatsClient | undefined {
    return this.#client
  }

  connect(): void {
    const timeout = this.#timeout
    const watch = { timeout, pingInterval: Math.max(1, Math.ceil(timeout / 2)), maxPingOut: 1 }
    // NATS sends nothing back to the connection that published it.
    const options = { ...this.#address, ...watch, reconnect: false, noEcho: true }
    this.#sockets = new OpenedSockets()
    this.#sockets
      .during(() => nats().connect({ ...options, servers: [...options.servers] }))
      .then(
        (client) => this.#up(client),
        (error: Error) => this.#lost(error),
      )
  }

  /** Ends the connection, within `most` ms, and makes no new one. */
  async close(most: number): Promise<void> {
    this.#isClosed = true
    this.#retry.stop()
    const client = this.#client
    this.#client = undefined
    if (client !== undefined) await inTime(client.close(), most)
    this.#sockets.destroy()
  }

  #up(client: NatsClient): void {
    if (this.#isClosed) return void client.close()
    this.#client = client
    this.#retry.succeeded()
    void client.closed().then((reason) => {
      if (client !== this.#client) return
      this.#client = undefined
      this.#lost(reason instanceof Error ? reason : callerError('ERR_NATS_GONE', 'NATS has closed the connection'))
    })
    void this.#listen(client)
    this.#events.up(client)
  }

  /** What the server complains of comes as a status; the iteration ends with the connection. */
  async #listen(client: NatsClient): Promise<void> {
    for await (const status of client.status()) if (status.type === 'error') this.#events.refused(status.error)
  }

  #lost(error: Error): void {
    this.#sockets.destroy()
    if (this.#isClosed) return
    this.#retry.failed(() => this.connect())
    this.#events.down(error)
  }
}
