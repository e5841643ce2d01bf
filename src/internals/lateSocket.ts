// A net.Socket around an accepted handle that is made when somebody looks at it: most programs never do.
import { IncomingMessage } from 'node:http'
import { type Server as NetServer, Socket } from 'node:net'
import { acceptedOptions, belongTo, countConnections, socketIn } from './accept.js'
import { type LateClass, lateClass, type Maker, type Peeks, runsOnObjects } from './late.js'
import type { StreamHandle } from './node.js'

/** Who reads and writes at the handle of a socket that is not made yet. */
export interface HandleUser {
  /** The handle is this socket's from now on. */
  over(socket: Socket): void
}

export class SocketMaker implements Maker<Socket> {
  readonly #server: NetServer
  #handle: StreamHandle | undefined
  #user: HandleUser | undefined

  constructor(server: NetServer, handle: StreamHandle) {
    this.#server = server
    this.#handle = handle
  }

  /** Whether somebody reads and writes at its handle. */
  get used(): boolean {
    return this.#user !== undefined
  }

  /** Gives its handle to a user, which `made` makes. */
  use<User extends HandleUser>(made: (handle: StreamHandle) => User): User | undefined {
    if (this.#handle === undefined) return undefined
    const user = made(this.#handle)
    this.#user = user
    return user
  }

  /** The handle is being closed: the server has a connection less. */
  left(): void {
    if (this.#handle === undefined) return
    this.#handle = undefined
    countConnections(this.#server, -1)
  }

  /** One of the facts that the system tells of the peer. */
  peer(fact: 'address' | 'port' | 'family'): unknown {
    const out: { address?: string; port?: number; family?: string } = {}
    this.#handle?.getpeername?.(out)
    return out[fact]
  }

  make(socket: Socket): void {
    const server = this.#server
    const handle = this.#handle
    if (handle === undefined) {
      run(socket, {})
      socket.destroy()
      return
    }
    const { onread, onconnection } = handle
    Reflect.set(handle, 'reading', true) // it goes on: to stop and start again takes two system calls
    run(socket, acceptedOptions(server, handle))
    belongTo(server, socket)
    Reflect.set(socket, 'parser', null) // as node:http leaves it
    if (onconnection !== this.#user)
      handle.onconnection = null // as Node leaves it
    else {
      handle.onread = onread
      this.#user?.over(socket)
    }
  }
}

function run(socket: Socket, options: object): void {
  Reflect.apply(Socket as never, socket, [options])
}

const peeks: Peeks<SocketMaker> = {
  remoteAddress: (maker) => maker.peer('address'),
  remotePort: (maker) => maker.peer('port'),
  remoteFamily: (maker) => maker.peer('family'),
}

let known: boolean | undefined
let late: LateClass<Socket, SocketMaker> | null | undefined

function lateSockets(): LateClass<Socket, SocketMaker> | null {
  if (late === undefined)
    late = runsOnObjects(Socket, [{}]) ? lateClass(Socket, Object.assign(new Socket(), { parser: null }), peeks) : null
  return late
}

/** Whether sockets and requests can be made late. */
export function canBeLate(): boolean {
  known ??= lateSockets() !== null && runsOnObjects(IncomingMessage, [{}])
  return known
}

/** A socket around a handle that a server has accepted and counts already; made at once where it can't be late. */
export function lateSocket(server: NetServer, handle: StreamHandle): Socket {
  const sockets = lateSockets()
  return sockets === null ? socketIn(server, handle) : sockets.create(new SocketMaker(server, handle))
}

/** What is to make a socket that nobody has looked at. */
export function socketMaker(socket: object): SocketMaker | undefined {
  return late?.makerOf(socket)
}
