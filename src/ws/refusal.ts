// How an upgrade is refused: the response of ws, after which the socket ends.
import { Buffer } from 'node:buffer'
import { type IncomingMessage, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Why an upgrade is refused: by a status, and a message that is the body of the response. */
export interface Refusal {
  readonly status: number
  readonly message: string
  readonly headers?: OutgoingHttpHeaders
}

/** Whether a request was refused where it was read. */
export function isRefusal(read: object): read is Refusal {
  return 'status' in read
}

/** The part of a server that is told of bad requests. */
export interface ErrorListener {
  listenerCount(event: string): number
  emit(event: string, ...args: unknown[]): boolean
}

/**
 * Answers and ends; the body is the name of the status where there is no message. Throws a TypeError where a status that has no
 * name comes without a message.
 */
export function abortHandshake(socket: Duplex, status: number, message?: string, headers?: OutgoingHttpHeaders): void {
  const name = STATUS_CODES[status]
  const body = message || (name as string)
  const fields = {
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  }
  const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}`)
  guard(socket)
  socket.once('finish', socket.destroy)
  socket.end(`HTTP/1.1 ${status} ${name}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** The socket's errors are nobody's business until it is a WebSocket: they end it. */
export function guard(socket: Duplex): void {
  if (!socket.listeners('error').includes(destroy)) socket.on('error', destroy)
}

/** The socket is a WebSocket's. */
export function unguard(socket: Duplex): void {
  socket.removeListener('error', destroy)
}

function destroy(this: Duplex): void {
  this.destroy()
}

/** Leaves the refusal to the application where it listens to 'wsClientError'; then the application ends the socket. */
export function refuse(server: ErrorListener, request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
  const { status, message, headers } = refusal
  if (server.listenerCount('wsClientError') === 0) return abortHandshake(socket, status, message, headers)
  guard(socket)
  const error = new Error(message)
  Error.captureStackTrace(error, refuse)
  server.emit('wsClientError', error, socket, request)
}
