// Opens a WebSocket over a socket on which its server has done the opening handshake, but for writing the response.
import type { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { OutOfMemory } from '../codec/codec.js'
import type { Agreement, SocketOptions } from './adoption.js'
import { setAdopted } from './orderedSocket.js'
import { abortHandshake } from './refusal.js'
import { WebSocket, webSocketInternals } from './webSocket.js'

/**
 * Opens `ws`: the response leaves with its first frames, `head` and what the socket has read since are delivered from the next
 * tick on, and `'open'` is emitted before this returns. A WebSocket whose class has a `setSocket` of its own gets the call of
 * that, when the response is written.
 *
 * A stream that is no socket is written to at once: whoever reads at its other end may take the first chunk to be the response
 * and nothing else, as `injectWS` of @fastify/websocket does.
 *
 * Without memory for it, the peer is refused with 503, or let down where the response has been written; then this returns
 * false, as nobody is to hear of `ws`.
 */
export function adopt(
  ws: WebSocket,
  socket: Duplex,
  head: Buffer,
  options: SocketOptions,
  agreement: Agreement,
): boolean {
  setAdopted(socket)
  webSocketInternals.agree(ws, agreement)
  const isPlain = socket instanceof Socket && ws.setSocket === WebSocket.prototype.setSocket
  try {
    if (isPlain) webSocketInternals.open(ws, socket, head, options, agreement.response)
    else {
      socket.write(agreement.response)
      ws.setSocket(socket, head, options)
    }
    return true
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error
    socket.on('error', () => socket.destroy())
    if (isPlain) abortHandshake(socket, 503)
    else socket.destroy()
    return false
  }
}
