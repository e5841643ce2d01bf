// What a socket of node:net would tell and do if its bytes did not pass it by: whoever has `_socket` listens to it, and
// pauses it.
import type { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { runOutside } from '../internals/context.js'
import { socketMaker } from '../internals/lateSocket.js'
import { markEnded } from '../internals/streamState.js'
import { type InboxReader, inboxOfThread } from '../memory/inbox.js'
import { earlyBytes, sharedTransportOf } from '../transport/adopt.js'
import { HandleTransport } from '../transport/handle.js'
import type { Transport } from '../transport/transport.js'
import { EMPTY } from './data.js'

/** The transport of a socket, which is not made for it where nobody has looked at it. */
export function transportOver(socket: Duplex): Transport {
  return socketMaker(socket)?.use((handle) => new HandleTransport(handle)) ?? sharedTransportOf(socket)
}

/** The handle of a socket that was not made is being closed. */
export function closing(socket: Duplex): void {
  socketMaker(socket)?.left()
}

/** Whether somebody has destroyed the socket; one that nobody has looked at can't be. */
export function isDestroyed(socket: Duplex | undefined): boolean {
  return socket !== undefined && socketMaker(socket) === undefined && socket.destroyed
}

/** What is there to be read. A stream that flows hands it out by itself, to whoever else listens, too. */
export function readEarly(socket: Duplex, head: Buffer): Buffer {
  if (socketMaker(socket) !== undefined) return head
  if (socket instanceof Socket || socket.readableFlowing !== true) return earlyBytes(socket, head)
  if (head.length > 0) socket.unshift(head)
  return EMPTY
}

/** Delivers what came early: in the next tick at the soonest. A plain socket has nothing more before that. */
export function deliverEarly(socket: Duplex, early: Buffer, reader: InboxReader): void {
  if (!(socket instanceof Socket)) inboxOfThread().deliverLater(reader, early)
  else if (early.length > 0) process.nextTick(() => runOutside(() => inboxOfThread().deliver(reader, early)))
}

/**
 * All that was written has left: tells the listeners of `'drain'`, in the next tick. A stream that is written to says so itself,
 * but for what the system has taken at once.
 */
export function tellDrain(socket: Duplex): void {
  if (!(socket instanceof Socket) || socketMaker(socket) !== undefined || socket.listenerCount('drain') === 0) return
  process.nextTick(() => runOutside(() => socket.emit('drain')))
}

/** A socket, and what it is read and written by. */
interface Transported {
  readonly socket: Duplex
  readonly transport: Transport
}

/**
 * Tells the listeners of a socket whose handle is read and written from elsewhere what Node would tell them: 'end' when its peer
 * has ended, and 'finish' when this side has. A stream that is no handle's tells by itself, and so does one that was ended itself,
 * as each is over TLS.
 */
export function tellSocket({ socket, transport }: Transported, event: 'end' | 'finish'): void {
  if (!(transport instanceof HandleTransport) || !isMade(socket)) return
  if (event === 'finish' && (transport.secure || socket.writableEnded)) return
  if (!transport.secure) markEnded(socket, event)
  socket.emit(event)
}

/** A socket of a WebSocket has no timeout, but one that the program gives it. */
export function withoutTimeout(socket: Duplex): Duplex {
  if (socket instanceof Socket && socket.timeout === undefined) socket.setTimeout(0)
  return socket
}

/** Whether there is a socket that somebody may listen to. */
export function isMade(socket: Duplex): boolean {
  return socketMaker(socket) === undefined
}

/** Whoever stops and starts reading for a socket. */
export interface Reader {
  pause(): void
  resume(): void
}

/** Has the reader follow `pause()` and `resume()` of a socket whose handle is read from elsewhere. */
export function followPauses(socket: Duplex, reader: Reader): void {
  if (socket.isPaused()) reader.pause()
  socket.on('pause', () => reader.pause())
  socket.on('resume', () => reader.resume())
}
