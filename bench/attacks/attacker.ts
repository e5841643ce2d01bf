// The side of the attacker: connections that write prebuilt bytes as fast as their socket takes them, and count them.
import { type Socket, connect as tcpConnect } from 'node:net'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import type { Ports } from './target.js'
import { upgradeRequest } from './wire.js'

/** Written at once: a part of a long prebuilt piece. */
const PORTION = 65_536
/** No attack sends more bytes than this. */
const MOST_BYTES = 2 ** 31
const HANDSHAKE = 3000

export interface DialOptions {
  /** Whether the connection uses TLS. */
  readonly secure?: boolean
  /** The port. Default: the port for TLS if `secure` is set, else the plain one. */
  readonly port?: number
  /** Whether it reads what the server sends. Default true. */
  readonly reads?: boolean
  /** The address that it comes from. */
  readonly from?: string
}

export interface OpenOptions extends DialOptions {
  /** Bytes in the same write as the request. */
  readonly early?: Uint8Array
  /** Lines to add to the request. */
  readonly headers?: readonly string[]
}

export interface FloodOptions {
  /** Stops after so many bytes. */
  readonly most?: number
  /** Milliseconds between two writes. */
  readonly every?: number
  /** Bytes in a write. */
  readonly portion?: number
}

export class Attacker {
  readonly ports: Ports
  readonly #from: string
  readonly #open = new Set<Socket>()
  #sent = 0
  /** Whether the attack goes on: once it does not, nothing more is written. */
  active = true

  constructor(ports: Ports, from: string) {
    this.ports = ports
    this.#from = from
  }

  /** Bytes that the system has taken. */
  get sent(): number {
    let waiting = 0
    for (const socket of this.#open) waiting += socket.writableLength
    return this.#sent - waiting
  }

  /** Connects, and resolves when it is connected; rejects where it is not, and once the attack is over. */
  async dial({ secure = false, port, reads = true, from = this.#from }: DialOptions = {}): Promise<Socket> {
    if (!this.active) throw new Error('the attack is over')
    const where = {
      host: '127.0.0.1',
      port: port ?? (secure ? this.ports.secure : this.ports.plain),
      localAddress: from,
    }
    const socket = secure
      ? tlsConnect({ ...where, rejectUnauthorized: false })
      : tcpConnect({ ...where, noDelay: true })
    this.#open.add(socket)
    socket
      .on('error', () => undefined)
      .once('close', () => {
        this.#open.delete(socket)
        this.#sent -= socket.writableLength
      })
    if (reads) socket.resume()
    else socket.pause()
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve)
      socket.once('close', () => reject(new Error('no connection')))
    })
    return socket
  }

  /** Opens a WebSocket; one that does not read gets on after a moment, without having seen an answer. */
  async open(path: string, { early, headers, ...how }: OpenOptions = {}): Promise<Socket> {
    const socket = await this.dial(how)
    const request = upgradeRequest(path, headers)
    this.write(socket, early === undefined ? request : Buffer.concat([request, early]))
    if (how.reads === false) {
      await sleep(60)
      return socket
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, HANDSHAKE)
      const settled = (): void => {
        clearTimeout(timer)
        resolve()
      }
      socket.once('data', settled).once('close', settled)
    })
    return socket
  }

  /** Writes the bytes; false if the attack is over, the connection has ended, or it has sent enough. */
  write(socket: Socket, bytes: Uint8Array, done?: () => void): boolean {
    if (!this.active || !socket.writable || this.#sent > MOST_BYTES) return false
    this.#sent += bytes.length
    socket.write(bytes, () => done?.())
    return true
  }

  /** Writes the same bytes again and again, until the attack is over, the connection ends, or `most` are sent. */
  async flood(
    socket: Socket,
    bytes: Buffer,
    { most = Infinity, every, portion = PORTION }: FloodOptions = {},
  ): Promise<void> {
    for (let sent = 0, at = 0; sent < most; ) {
      const part = bytes.subarray(at, Math.min(at + portion, at + most - sent))
      await new Promise<void>((resolve) => {
        const ended = (): void => resolve()
        socket.once('close', ended)
        const taken = (): void => {
          socket.off('close', ended)
          resolve()
        }
        if (!this.write(socket, part, taken)) taken()
      })
      if (!this.active || !socket.writable) return
      sent += part.length
      at = at + part.length >= bytes.length ? 0 : at + part.length
      // The message that stops the attack must get a turn, too.
      await (every === undefined ? nextTurn() : sleep(every))
    }
  }

  /** Waits, or until the attack is over. */
  async pause(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds
    while (this.active && performance.now() < end) await sleep(Math.min(20, milliseconds))
  }

  /** Does something again and again until the attack is over; what fails is tried again. */
  async again(work: () => Promise<void>): Promise<void> {
    while (this.active) {
      await work().catch(() => undefined)
      await nextTurn()
    }
  }

  /** Stays connected, and says nothing more. */
  hush(): void {
    this.active = false
  }

  leave(): void {
    this.active = false
    for (const socket of this.#open) socket.destroy()
  }
}
