// One connection to Redis that is made anew whenever it is lost. The client's own reconnecting is off: each attempt is
// a client of its own, so that nothing of an old one is sent again, and no timer of it outlives `close`.
import { callerError } from '../checks/errors.js'
import { packageFor } from '../internals/packages.js'
import { Retry } from './retry.js'

/** The package is loaded when the first broker is made, so that an error can say that it is missing. */
const redis = () => packageFor<typeof import('@redis/client')>('millrace/redis', '@redis/client')

export type RedisClient = ReturnType<typeof clientFor>

/** The same client, whose replies are bytes where Redis says that they are bytes. */
export function withBytes(client: RedisClient) {
  return client.withTypeMapping({ [redis().RESP_TYPES.BLOB_STRING]: Buffer })
}

export interface ConnectionEvents {
  /** The connection can be used. */
  up(client: RedisClient): void
  /** The connection is lost, or could not be made. */
  down(error: Error): void
}

/** Throws a TypeError for what is no address of a Redis server, and an Error where @redis/client is not installed. */
export function checkUrl(url: string): void {
  redis()
  let problem = 'it must begin with redis:// or rediss://'
  try {
    if (/^rediss?:\/\/./.test(url)) return void clientFor(url, 0).destroy()
  } catch (error) {
    // The client's message may quote the address, and so its password.
    problem = error instanceof Error ? error.name : 'it can not be read'
  }
  throw callerError('ERR_REDIS_ADDRESS', `the address of the Redis server is wrong: ${problem}`)
}

/** Whether Redis has answered, and said no. */
export function isRefusal(error: Error): boolean {
  return error instanceof redis().ErrorReply
}

function clientFor(url: string, connectTimeout: number) {
  return redis().createClient({
    url,
    RESP: 3,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    socket: { connectTimeout, reconnectStrategy: false },
  })
}

export class RedisConnection {
  readonly #url: string
  readonly #timeout: number
  readonly #events: ConnectionEvents
  /** The latest attempt, whether it has succeeded or not. */
  #current: RedisClient | undefined
  #isUp = false
  readonly #retry = new Retry()
  #watch: NodeJS.Timeout | undefined

  /** `timeout`: ms in which Redis must let us in, and then answer each ping. */
  constructor(url: string, timeout: number, events: ConnectionEvents) {
    this.#url = url
    this.#timeout = timeout
    this.#events = events
  }

  /** The client, while it can be used. */
  get client(): RedisClient | undefined {
    return this.#isUp ? this.#current : undefined
  }

  connect(): void {
    const client = clientFor(this.#url, this.#timeout)
    this.#current = client
    // Only who uses the broker keeps the process alive.
    client.unref()
    client.on('error', (error: Error) => this.#lost(client, error))
    client.on('connect', () => {
      // The client was given up while it was connecting, which can't be interrupted.
      if (client !== this.#current) client.destroy()
    })
    const late = (): void =>
      this.#lost(client, callerError('ERR_REDIS_SILENT', `Redis has not answered for ${this.#timeout} ms`))
    this.#watch = setTimeout(late, this.#timeout).unref()
    client.connect().then(
      () => this.#up(client, late),
      (error: Error) => this.#lost(client, error),
    )
  }

  /** Ends the connection, and makes no new one. */
  close(): void {
    const client = this.#detach()
    this.#retry.stop()
    client?.destroy()
  }

  #up(client: RedisClient, late: () => void): void {
    if (client !== this.#current) return client.destroy()
    clearTimeout(this.#watch)
    let answered = true
    this.#watch = setInterval(() => {
      if (!answered) return late()
      answered = false
      client.ping().then(
        () => {
          answered = true
        },
        () => undefined, // 'error' tells why
      )
    }, this.#timeout).unref()
    this.#isUp = true
    this.#retry.succeeded()
    this.#events.up(client)
  }

  #lost(client: RedisClient, error: Error): void {
    if (client !== this.#current) return
    this.#detach()
    client.destroy()
    this.#retry.failed(() => this.connect())
    this.#events.down(error)
  }

  #detach(): RedisClient | undefined {
    const client = this.#current
    clearTimeout(this.#watch)
    this.#current = undefined
    this.#isUp = false
    return client
  }
}
