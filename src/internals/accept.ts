// Accepting at the handle: connections of a net.Server without a net.Socket each, and the way back to node:http.
import type { Server as HttpServer } from 'node:http'
import { type Server as NetServer, Socket } from 'node:net'
import { bindings, type ListeningHandle, type StreamHandle } from './node.js'

/** Idle connections of dead peers are noticed by the system after this many seconds. */
export const KEEP_ALIVE = 60

/** Small frames leave at once, and a peer that vanished is noticed. */
function setSocketOptions(handle: {
  setNoDelay?(on: boolean): number
  setKeepAlive?(on: boolean, seconds: number): number
}): void {
  handle.setNoDelay?.(true)
  handle.setKeepAlive?.(true, KEEP_ALIVE)
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
  // Linux hands a listening socket's options down to those it accepts: five system calls less for each connection.
  if (process.platform === 'linux') setSocketOptions(handle)
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) failed(status)
    else {
      if (process.platform !== 'linux') setSocketOptions(client)
      accepted(client)
    }
  }
  return true
}

/** A socket around an accepted handle, which must never have been aimed at the inbox. */
export function socketOf(handle: StreamHandle): Socket {
  handle.readStop()
  handle.receiver = undefined
  return new Socket({ handle, readable: true, writable: true } as object)
}

/**
 * Gives an accepted handle, and what was read from it, to an HTTP server as if it had come in there.
 * The handle must never have been aimed at the inbox.
 */
export function giveToHttp(handle: StreamHandle, read: Uint8Array | undefined, server: HttpServer): Socket {
  const socket = socketOf(handle)
  if (read !== undefined && read.length > 0) socket.unshift(read)
  server.emit('connection', socket)
  return socket
}
