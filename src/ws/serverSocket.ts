// What a server needs of the class whose sockets it makes: WebSocket of this facade, a class that extends it, or the class
// of ws itself.
import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { SocketOptions } from './adoption.js'

/** A socket that a server opens. */
export interface ServerSocket extends EventEmitter {
  setSocket(socket: Duplex, head: Buffer, options: SocketOptions): void
}

/** A class of such sockets. */
export type SocketClass = new (address: null, protocols: undefined, options: object) => ServerSocket
