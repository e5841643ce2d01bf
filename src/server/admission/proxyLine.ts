// Reads the PROXY protocol's header off accepted sockets, before TLS or HTTP see a byte, and remembers what it said.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { readProxyHeader } from '../../protocol/proxyHeader.js'
import { type Deadlines, type Expiring, noDeadline } from '../../time/deadlines.js'

/** What a header said. It is an object, so that each connection's can be recognized by identity. */
interface ProxiedClient {
  readonly client: string
}

export class ProxyLine {
  readonly #deadlines: Deadlines
  readonly #timeout: number
  readonly #trusts: (address: string | undefined) => boolean
  /** By the connection's ends, which a TLS socket shares with the socket below it; or by the socket, if it has none. */
  readonly #clients = new Map<string | Duplex, ProxiedClient>()

  /** `timeout` in milliseconds; sockets from addresses that are not trusted are closed. */
  constructor(deadlines: Deadlines, timeout: number, trusts: (address: string | undefined) => boolean) {
    this.#deadlines = deadlines
    this.#timeout = timeout
    this.#trusts = trusts
  }

  /** The client that a proxy connected for. */
  clientOf(socket: Duplex): string | undefined {
    return this.#clients.size === 0 ? undefined : this.#clients.get(endsOf(socket) ?? socket)?.client
  }

  /** Hands the socket to `next` when its header is read; closes one that has none. */
  read(socket: Socket, next: (socket: Socket) => void): void {
    const waiting: Expiring = { ...noDeadline, expired: () => socket.destroy() }
    let read = Buffer.alloc(0)
    const done = (): void => {
      this.#deadlines.clear(waiting)
      socket.off('readable', readable).off('end', end).off('close', done)
    }
    const end = (): void => {
      socket.destroy()
    }
    const readable = (): void => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) read = Buffer.concat([read, chunk])
      const header = readProxyHeader(read)
      if (header === 'more') return
      if (header === 'wrong') return end()
      done()
      if (header.address !== undefined) this.#remember(socket, header.address)
      if (read.length > header.length) socket.unshift(read.subarray(header.length))
      next(socket)
    }
    socket.on('error', () => socket.destroy())
    if (!this.#trusts(socket.remoteAddress)) return end()
    this.#deadlines.set(waiting, this.#timeout)
    socket.on('readable', readable).on('end', end).on('close', done)
  }

  #remember(socket: Socket, client: string): void {
    const ends = endsOf(socket) ?? socket
    const told = { client }
    this.#clients.set(ends, told)
    socket.once('close', () => {
      // The same ends may belong to the next connection already, before this one is told that it has ended.
      if (this.#clients.get(ends) === told) this.#clients.delete(ends)
    })
  }
}

/** The two ends of a connection, which are its own while it lasts; undefined for a Unix socket, which has no address. */
export function endsOf(socket: Duplex): string | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket as Partial<Socket>
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
