// An HTTP or HTTPS server that an application already has, and that hands its upgrades to millrace.
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { createServer, type Server, type ServerOptions } from '../../src/index.js'
import { cert, key } from './certificate.js'
import { dialPlainly, dialSecurely } from './places.js'
import type { SocketClient } from './socketClient.js'

export type Upgraded = (request: IncomingMessage, socket: Duplex, head: Buffer, server: Server) => unknown

export class UserServer {
  readonly http: HttpServer
  readonly server: Server
  readonly secure: boolean
  /** The sockets of its upgrades. */
  readonly sockets: Duplex[] = []
  readonly #clients: SocketClient[] = []

  private constructor(secure: boolean, options: ServerOptions, upgraded: Upgraded) {
    this.secure = secure
    this.server = createServer(options)
    this.http = secure ? createHttpsServer({ key, cert }) : createHttpServer()
    this.http.on('request', (_, response) => response.end('the application'))
    this.http.on('upgrade', (request, socket, head) => {
      this.sockets.push(socket)
      upgraded(request, socket, head, this.server)
    })
  }

  static async start(
    secure: boolean,
    options: ServerOptions = {},
    upgraded: Upgraded = (request, socket, head, server) => server.handleUpgrade(request, socket, head),
  ): Promise<UserServer> {
    const user = new UserServer(secure, options, upgraded)
    user.http.listen(0, '127.0.0.1')
    await once(user.http, 'listening')
    return user
  }

  get port(): number {
    const address = this.http.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  async dial(): Promise<SocketClient> {
    const where = { host: '127.0.0.1', port: this.port }
    const client = await (this.secure ? dialSecurely(where) : dialPlainly(where))
    this.#clients.push(client)
    return client
  }

  /** Resolves when the application's server has closed, or rejects: it waits for each of its sockets. */
  async closeHttp(timeout = 5000): Promise<void> {
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the user's server did not close within ${timeout} ms`)), timeout)
    })
    await Promise.race([closed, late]).finally(() => clearTimeout(timer))
  }

  /** Ends everything, whatever state it is in. */
  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.destroy()))
    for (const socket of this.sockets) socket.destroy()
    await this.server.close()
    this.http.close()
    this.http.closeAllConnections()
  }
}
