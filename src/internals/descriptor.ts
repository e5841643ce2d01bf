// A socket around a descriptor that the process was started with.
import { connect, Socket } from 'node:net'
import { runtime } from './runtime.js'

/** Opens a descriptor that is a connected socket, once. */
export function socketAt(descriptor: number): Socket {
  // Bun takes the descriptor only when it connects; the types are Node's.
  if (runtime === 'bun') return connect({ fd: descriptor } as object as { path: string })
  return new Socket({ fd: descriptor, readable: true, writable: true })
}
