// Accepting at the handle: connections of a net.Server without a net.Socket each, and the way back to node:http.
import { type Server as NetServer, Socket } from 'node:net'
import { bindings, type ListeningHandle, type StreamHandle } from './node.js'
import { copyReads, isAimed } from './stream.js'

/** Idle connections of dead peers are noticed by the system after this many seconds. */
export const KEEP_ALIVE = 60

/** What node:net sets on the connections that it accepts itself: the same as `setSocketOptions`. */
export const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE * 1000 } as const

interface OptionedHandle {
  setNoDelay?(on: boolean): number
  setKeepAlive?(on: boolean, seconds: number): number
}

/** Makes small frames leave at once, and a vanished peer be noticed. Returns whether the handle took both options. */
function setSocketOptions(handle: OptionedHandle): boolean {
  return handle.setNoDelay?.(true) === 0 && handle.setKeepAlive?.(true, KEEP_ALIVE) === 0
}

/** Takes over the accepting of a listening server; false where its handle is not one that can be taken over. */
export function acceptHandles(
  server: NetServer,
  accepted: (handle: StreamHandle) => void,
  failed: (status: number) => void,
): boolean {
  const found = bindings()
  const listening: unknown = Reflect.get(server, '_handle')
  if (found === undefined || typeof listening !== 'object' || listening === null || !('onconnection' in listening)) {
    return false
  }
  const handle = listening as ListeningHandle
  // Linux hands a listening socket's options down to those it accepts: five system calls less for each connection. In a
  // worker of node:cluster under round robin, the handle is an object of node:cluster's, which has no options to hand
  // down: the socket that listens is the primary's.
  const inherited = process.platform === 'linux' && setSocketOptions(handle)
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) failed(status)
    else {
      if (!inherited) setSocketOptions(client)
      accepted(client)
    }
  }
  return true
}

/**
 * A socket around an accepted handle, which gets back the bytes in `read`. If the handle's reads are aimed, they must be
 * aimed at `inbox`.
 */
export function socketOf(handle: StreamHandle, inbox: Uint8Array, read?: Uint8Array): Socket {
  handle.readStop()
  handle.onconnection = null // as Node leaves it
  const aimed = isAimed(handle)
  const socket = new Socket({ handle, readable: true, writable: true } as object)
  if (aimed) copyReads(handle, inbox)
  if (read !== undefined && read.length > 0) socket.unshift(read)
  return socket
}

/** Handles that listen and whose accepting has been taken over. */
const takenOver = new WeakSet<object>()

/**
 * Takes what a listening server accepts, as long as `taken` says so; anything else goes the usual way. `over` is called when the
 * server closes. A second call for the same listening changes nothing. Returns whether this one did.
 */
export function acceptBefore(server: NetServer, taken: (handle: StreamHandle) => boolean, over: () => void): boolean {
  const listening: unknown = Reflect.get(server, '_handle')
  if (bindings() === undefined || typeof listening !== 'object' || listening === null || takenOver.has(listening))
    return false
  if (!('onconnection' in listening) || typeof listening.onconnection !== 'function') return false
  const handle: ListeningHandle & OptionedHandle = listening as ListeningHandle
  takenOver.add(handle)
  const before = listening.onconnection
  const inherited = process.platform === 'linux' && handle.setNoDelay?.(true) === 0 // see acceptHandles
  handle.onconnection = (status, client) => {
    if (status === 0 && client !== undefined && taken(client)) {
      if (!inherited) (client as OptionedHandle).setNoDelay?.(true)
      return
    }
    Reflect.apply(before, handle, [status, client])
  }
  const { close } = handle
  handle.close = (...values) => {
    over()
    Reflect.apply(close, handle, values)
  }
  return true
}

/**
 * A socket around a handle that a server has accepted (acceptBefore) and counts already. A handle of which the end, or an error,
 * has been read is not to be read again (`manualStart`): who hands it over tells the socket of that.
 */
export function socketIn(server: NetServer, handle: StreamHandle, manualStart = false): Socket {
  handle.readStop()
  handle.onconnection = null // as Node leaves it
  const options: object = { ...acceptedOptions(server, handle), manualStart }
  const socket = new Socket(options)
  // A socket that can't be read is destroyed by its constructor, before it is the server's.
  if (socket.destroyed) countConnections(server, -1)
  belongTo(server, socket)
  return socket
}

/** The handle does not delay what is written: the option `noDelay` has the socket know, and ask the system no more. */
export function acceptedOptions(server: NetServer, handle: StreamHandle): object {
  const allowHalfOpen: unknown = Reflect.get(server, 'allowHalfOpen')
  return { handle, allowHalfOpen, noDelay: true, readable: true, writable: true }
}

/** The socket is one of the server's: its end is one connection less. */
export function belongTo(server: NetServer, socket: Socket): void {
  Reflect.set(socket, 'server', server)
  Reflect.set(socket, '_server', server)
}

export function countConnections(server: NetServer, more: number): void {
  Reflect.set(server, '_connections', Number(Reflect.get(server, '_connections')) + more)
  if (more < 0) Reflect.apply(Reflect.get(server, '_emitCloseIfDrained'), server, [])
}
