// Reads and writes on a TCP or pipe handle. What the private API demands is written here once:
// `onread` returns undefined, or a view that the next read is aimed at (anything else, a promise for one, aborts the process),
// a request is never reused while it is pending, and what is being sent is held until it is sent.
import { Buffer } from 'node:buffer'
import { getSystemErrorMap } from 'node:util'
import { type Bindings, bindings, type HandleRequest, type StreamHandle } from './node.js'

/** libuv's end of file, on every platform. */
export const EOF = -4095

/** libuv's status for the error of this name, which is not the number of the platform's own everywhere; 0 if there is none. */
export function statusNamed(name: string): number {
  return [...getSystemErrorMap()].find(([, [other]]) => other === name)?.[0] ?? 0
}

const alreadyReading = statusNamed('EALREADY')

/**
 * Who reads from a handle. `status` is a length, 0, or a negative libuv error; EOF for the peer's half-close. Answers with
 * the view that later reads are to land in, or undefined if that stays as it is.
 */
export interface HandleReader {
  read(status: number): Uint8Array | undefined
}

/** Who writes to a handle: told when a write that could not finish at once is done, with 0 or a negative error. */
export interface HandleWriter {
  written(status: number): void
}

/** How a write ended: finished, still under way, or failed with a negative libuv error. */
export const WRITTEN = 0
export const PENDING = 1

function required(): Bindings {
  const found = bindings()
  if (found === undefined) throw new Error('the private stream API is not available in this process')
  return found
}

function onread(this: StreamHandle): Uint8Array | undefined {
  const next: unknown = (this.onconnection as HandleReader).read(state[readBytesOrError] ?? 0)
  return next instanceof Uint8Array ? next : undefined
}

let state: Int32Array = new Int32Array(0)
let readBytesOrError = 0
let arrayBufferOffset = 0
let lastWriteWasAsync = 0

/** The indices into Node's state, as variables of this module: they are read for each read and each write. */
function load(): void {
  if (state.length > 0) return
  ;({ state, readBytesOrError, arrayBufferOffset, lastWriteWasAsync } = required())
}

let spare: HandleRequest | undefined

/** Handles whose reads are aimed, and whose sockets of node:net get copies of what is read. */
const givenBack = new WeakSet<StreamHandle>()

/**
 * From now on, reads of `handle` land in `inbox` and are told to `reader`. Can't be undone. Where it is repeated, only the
 * reader is another one: to aim once more would leak.
 */
export function aimReads(handle: StreamHandle, inbox: Uint8Array, reader: HandleReader): void {
  load()
  handle.onconnection = reader
  if (handle.onread === onread) return
  handle.onread = onread
  if (!givenBack.has(handle)) handle.useUserBuffer(inbox)
}

/**
 * A socket of node:net has been made of a handle whose reads may land in `inbox`: the socket is told of them, from now on
 * in chunks that have memory of their own, as it expects.
 */
export function copyReads(handle: StreamHandle, inbox: Uint8Array): void {
  load()
  givenBack.add(handle)
  const told: unknown = handle.onread
  if (typeof told !== 'function') return
  handle.onread = function (this: StreamHandle): undefined {
    tellAgain(this, told, inbox, state[readBytesOrError] ?? 0)
  }
}

/** Tells `onread`, which is Node's own, of what lies in `inbox`, as a copy, or of an error. */
export function tellAgain(handle: StreamHandle, onread: unknown, inbox: Uint8Array, status: number): void {
  if (typeof onread !== 'function') return
  const chunk = status > 0 ? Uint8Array.from(inbox.subarray(0, status)).buffer : undefined
  state[readBytesOrError] = status
  state[arrayBufferOffset] = 0
  Reflect.apply(onread, handle, [chunk])
}

/** Tells whoever reads from a handle now of its end, or of an error, that was read before: `status` is what it was. */
export function tellEnd(handle: StreamHandle, status: number): void {
  tellAgain(handle, handle.onread, new Uint8Array(0), status)
}

/** Whether reads of a handle are aimed. */
export function isAimed(handle: StreamHandle): boolean {
  return handle.onread === onread
}

/** Starts reading, unless it has been started before; false if the handle can't be read. */
export function startReading(handle: StreamHandle): boolean {
  const status = handle.readStart()
  return status === 0 || status === alreadyReading
}

/** Who reads from a handle in chunks. */
export interface ChunkReader {
  /** A chunk in memory of its own, or undefined when nothing more will come: `status` is EOF, or a negative libuv error. */
  readChunk(chunk: Buffer | undefined, status: number): void
}

function onchunk(this: StreamHandle, chunk: ArrayBuffer | undefined): undefined {
  const status = state[readBytesOrError] ?? 0
  const reader = this.onconnection as ChunkReader
  if (status < 0 || chunk === undefined) reader.readChunk(undefined, status)
  else if (status > 0) reader.readChunk(Buffer.from(chunk, state[arrayBufferOffset], status), status)
  return undefined
}

/** From now on, what is read from `handle` is told to `reader`, in buffers of Node's own. */
export function readChunks(handle: StreamHandle, reader: ChunkReader): void {
  load()
  handle.onconnection = reader
  handle.onread = onchunk
}

function oncomplete(this: HandleRequest, status: number): void {
  this.held = undefined
  ;(this.owner as HandleWriter).written(status)
}

function newRequest(): HandleRequest {
  load()
  return new (required().WriteWrap)()
}

/** Writes a view, which must stay as it is until the write is done. Returns WRITTEN, PENDING or a negative error. */
export function write(handle: StreamHandle, view: Uint8Array, writer: HandleWriter): number {
  spare ??= newRequest()
  const request = spare
  return outcome(handle.writeBuffer(request, view), request, view, writer)
}

/** The same of several views, one after the other. */
export function writeAll(handle: StreamHandle, views: readonly Uint8Array[], writer: HandleWriter): number {
  spare ??= newRequest()
  const request = spare
  return outcome(handle.writev(request, views, true), request, views, writer)
}

/**
 * The same to a TLS handle, where every write ends later. One that fails at once is told before this returns, which is PENDING
 * all the same: the request must say whom to tell before it is given away.
 */
export function writeSecurely(handle: StreamHandle, view: Uint8Array, writer: HandleWriter): number {
  const request = secureRequest(view, writer)
  const status = handle.writeBuffer(request, view)
  return status !== 0 || state[lastWriteWasAsync] === 0 ? status : PENDING
}

/** The same of several views, one after the other. */
export function writeAllSecurely(handle: StreamHandle, views: readonly Uint8Array[], writer: HandleWriter): number {
  const request = secureRequest(views, writer)
  const status = handle.writev(request, views, true)
  return status !== 0 || state[lastWriteWasAsync] === 0 ? status : PENDING
}

/** Requests to TLS handles that are done. To make one costs as much as to encrypt a short frame. */
const done: HandleRequest[] = []
const MOST_DONE = 256

/** Node lets go of a request behind its callback, and of the microtasks after that: until then it has an id. */
const FREE = -1

function secureRequest(held: unknown, writer: HandleWriter): HandleRequest {
  const last = done.pop()
  const request = last !== undefined && last.getAsyncId() === FREE ? last : newRequest()
  request.oncomplete = onsecured
  request.held = held
  request.owner = writer
  return request
}

function onsecured(this: HandleRequest, status: number): void {
  const writer = this.owner as HandleWriter
  this.held = this.owner = undefined
  if (done.length < MOST_DONE) done.push(this)
  writer.written(status)
}

function outcome(status: number, request: HandleRequest, held: unknown, writer: HandleWriter): number {
  // After an error `oncomplete` never comes, and the request is free, as it is after a write that finished.
  if (status !== 0 || state[lastWriteWasAsync] === 0) return status
  spare = undefined
  request.oncomplete = oncomplete
  request.held = held
  request.owner = writer
  return PENDING
}

/** Half-closes after all that was written; returns 0 or a negative error, after which `done` is not called. */
export function shutdown(handle: StreamHandle, done: () => void): number {
  const request = new (required().ShutdownWrap)()
  request.oncomplete = done
  request.held = handle
  return handle.shutdown(request)
}
