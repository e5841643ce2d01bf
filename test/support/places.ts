// Where a server can listen, so that one test runs over plain, TLS and Unix sockets, and over both transports.
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls'
import type { ClientOptions } from 'ws'
import { createServer, type ListenOptions, type Server, type ServerOptions } from '../../src/index.js'
import { cert, key } from './certificate.js'
import { SocketClient } from './socketClient.js'

export interface Place {
  readonly name: string
  readonly secure: boolean
  /** A Unix socket: peers have no address. */
  readonly unix: boolean
}

export const places: readonly Place[] = [
  { name: 'TCP', secure: false, unix: false },
  { name: 'TLS', secure: true, unix: false },
  { name: 'a Unix socket', secure: false, unix: true },
  { name: 'TLS over a Unix socket', secure: true, unix: true },
].filter(({ unix }) => !unix || process.platform !== 'win32')

/** Both values of the option `publicApi`, with names for tests. */
export const transports = [
  { transport: 'the fast transport', publicApi: false },
  { transport: 'the public API', publicApi: true },
] as const

let paths = 0

/** A path for a Unix socket that nobody has: a process that was killed may have left one behind, and had the same number. */
export function freePath(): string {
  const path = join(tmpdir(), `millrace-${process.pid}-${paths++}.sock`)
  rmSync(path, { force: true })
  return path
}

export function listenOptions({ secure, unix }: Place): ListenOptions {
  return { ...(unix ? { path: freePath() } : { host: '127.0.0.1' }), ...(secure ? { tls: { key, cert } } : {}) }
}

/** A server, and where it listens. */
export class Listening {
  readonly server: Server
  readonly place: Place

  private constructor(server: Server, place: Place) {
    this.server = server
    this.place = place
  }

  static async start(place: Place, options: ServerOptions): Promise<Listening> {
    const server = createServer(options)
    await server.listen(listenOptions(place))
    return new Listening(server, place)
  }

  /** For the `ws` client, without a path. */
  get url(): string {
    const [address] = this.server.addresses
    if (typeof address === 'string') return this.place.secure ? 'wss://localhost' : `ws+unix:${address}:`
    return `${this.place.secure ? 'wss' : 'ws'}://127.0.0.1:${address?.port}`
  }

  get wsOptions(): ClientOptions {
    if (!this.place.secure) return {}
    const [path] = this.server.addresses
    if (typeof path !== 'string') return { rejectUnauthorized: false }
    return { createConnection: () => connectSecurely({ path, rejectUnauthorized: false }) }
  }

  /** A client of bytes: TLS, where there is any, is done. */
  dial(options: ConnectionOptions = {}): Promise<SocketClient> {
    const [address] = this.server.addresses
    const where =
      typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: address?.port ?? 0, noDelay: true }
    return this.place.secure ? dialSecurely({ ...where, ...options }) : dialPlainly(where)
  }
}

export async function dialSecurely(options: ConnectionOptions): Promise<SocketClient> {
  const socket = connectSecurely({ rejectUnauthorized: false, allowHalfOpen: true, ...options } as ConnectionOptions)
  await once(socket, 'secureConnect')
  return new SocketClient(socket)
}

export async function dialPlainly(where: { path: string } | { host: string; port: number }): Promise<SocketClient> {
  const socket = connect({ ...where, allowHalfOpen: true })
  await once(socket, 'connect')
  return new SocketClient(socket)
}
