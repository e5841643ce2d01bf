// An echo server that notes how each of its connections ends, and lets a test speak for it.
import { type Connection, createServer, type ListenOptions, type Server } from '../../src/index.js'
import { Inbox } from './inbox.js'

export interface Ending {
  readonly code: number
  readonly reason: string
}

export class Recorder {
  readonly opened = new Inbox<Connection>()
  readonly ended = new Inbox<Ending>()
  readonly #server: Server
  readonly #where: ListenOptions

  private constructor(where: ListenOptions) {
    this.#where = where
    this.#server = createServer({
      open: (connection) => this.opened.push(connection),
      message: (connection, message) => connection.send(message),
      close: (_, code, reason) => this.ended.push({ code, reason }),
      error: () => undefined,
      maxMessage: 1_048_576,
    })
  }

  static async listen(where: ListenOptions = {}): Promise<Recorder> {
    const recorder = new Recorder(where)
    await recorder.#server.listen({ host: '127.0.0.1', ...where })
    return recorder
  }

  get url(): string {
    return `${this.#where.tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${this.#server.address?.port}`
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}

/** The codes that may travel in a Close frame (RFC 6455, section 7.4, and the IANA registry). */
export const travellingCodes = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
] as const

/** 123 bytes, the longest there is. */
export const longestReason = `${'水'.repeat(40)}end`
