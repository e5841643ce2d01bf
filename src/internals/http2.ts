// The handle of a stream of node:http2. It has the stream API of sockets' handles: what comes as DATA lands in memory of
// ours, and what is written needs no stream of Node's in between.
import type { Buffer } from 'node:buffer'
import type { Http2Stream } from 'node:http2'
import { bindings, type HandleRequest, isNative, type StreamHandle } from './node.js'
import { aimReads, type HandleReader, tellAgain } from './stream.js'

/** The name of the class, and that of the symbol under which a stream has its handle, in all releases since Node 10. */
const CLASS = 'Http2Stream'
const HANDLE = 'kHandle'

const METHODS = ['useUserBuffer', 'writeBuffer', 'readStart', 'readStop', 'shutdown'] as const

/** The symbol and the class that were found to be right. */
let symbol: symbol | undefined
let found: unknown

/** Who writes pieces: told of those that it asks about, when they have been sent, or can't be. */
export interface PieceWriter {
  /**
   * A piece is where it should be, and its memory is free again; `bytes` is the number that was given with it, and `status` 0
   * or a negative error.
   */
  left(piece: Buffer, bytes: number, status: number): void
}

interface PieceRequest extends HandleRequest {
  bytes: number
}

/** The handle of a stream that has begun, and is not destroyed; undefined where it is not what millrace knows. */
export function http2HandleOf(stream: Http2Stream): StreamHandle | undefined {
  if (bindings() === undefined || stream.destroyed || stream.pending) return undefined
  symbol ??= Object.getOwnPropertySymbols(stream).find(({ description }) => description === HANDLE)
  const handle: unknown = symbol === undefined ? undefined : Reflect.get(stream, symbol)
  if (typeof handle !== 'object' || handle === null) return undefined
  if (handle.constructor !== found && !isKnown(handle)) return undefined
  found = handle.constructor
  return handle as StreamHandle
}

function isKnown(handle: object): boolean {
  const methods = METHODS.every((name) => isNative(Reflect.get(handle, name)))
  return methods && isNative(handle.constructor) && handle.constructor.name === CLASS
}

/** The handle of a session's socket, as far as it tells what has left. */
export interface SocketHandle {
  /** Bytes that it was ever given, and those of them that the system has not taken. */
  readonly bytesWritten?: number
  readonly writeQueueSize?: number
}

/** The handle of the socket below a stream's session; undefined where there is none. */
export function socketHandleOf({ session }: Http2Stream): SocketHandle | undefined {
  if (session === undefined || session.destroyed) return undefined
  const handle: unknown = Reflect.get(session.socket, '_handle')
  return typeof handle === 'object' && handle !== null ? handle : undefined
}

/** What a stream is told of its handle: all that is not read by `reader`. */
export type Told = (status: number) => void

/**
 * From now on, the DATA of a stream lands in `inbox` and is told to `reader`, its end too. Returns by what the stream itself
 * is told, which copies what lies in the inbox.
 */
export function aimData(handle: StreamHandle, inbox: Uint8Array, reader: HandleReader): Told {
  const { onread } = handle
  aimReads(handle, inbox, reader)
  return (status) => tellAgain(handle, onread, inbox, status)
}

function oncomplete(this: HandleRequest, status: number): void {
  const piece = this.held
  this.held = undefined
  ;(this.owner as PieceWriter).left(piece as Buffer, (this as PieceRequest).bytes, status)
}

/** Writes a piece of which nobody is told. False if it can't be written. */
export function give(handle: StreamHandle, piece: Buffer): boolean {
  const known = bindings()
  if (known === undefined) return false
  const request = new known.WriteWrap() // without `oncomplete`, Node calls nobody
  request.held = piece
  request.owner = handle // a session tells the stream of a write that has left even when everybody else has let it go
  return handle.writeBuffer(request, piece) === 0
}

/**
 * Writes a piece and tells `writer` when it has left, and with it all that was given before. An empty one does only that. False
 * if it can't be written, of which nobody is told.
 */
export function giveAsking(handle: StreamHandle, piece: Buffer, writer: PieceWriter, bytes: number): boolean {
  const known = bindings()
  if (known === undefined) return false
  const request = new known.WriteWrap() as PieceRequest
  request.oncomplete = oncomplete
  request.held = piece
  request.owner = writer // which has the handle
  request.bytes = bytes
  return handle.writeBuffer(request, piece) === 0
}
