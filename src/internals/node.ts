// Detection of Node's private API. It is asked for once, on first use, and not at all where asking would warn or throw.
import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { types } from 'node:util'
import { runtime } from './runtime.js'

/** A libuv request object; `oncomplete` is called by Node when the request that carried it is done. */
export interface HandleRequest {
  oncomplete: ((this: HandleRequest, status: number) => void) | undefined
  /** Whatever must stay alive until the request is done. */
  held: unknown
  owner: unknown
  /** Its number while Node has it, -1 when it may be used, again or for the first time. */
  getAsyncId(): number
}

/** The part of TCPWrap and PipeWrap that millrace calls. Every number returned is 0 or a negative libuv error. */
export interface StreamHandle {
  /** Only ever a function: setting anything else aborts the process. */
  onread: (this: StreamHandle, chunk: ArrayBuffer | undefined) => Uint8Array | undefined
  /**
   * Who reads from the handle. Node calls it on a listening handle, and nobody on any other; but the property is there on
   * every handle, while one more of ours would make each handle's properties move to a larger store.
   */
  onconnection?: unknown
  readStart(): number
  readStop(): number
  useUserBuffer(view: Uint8Array): void
  writeBuffer(request: HandleRequest, view: Uint8Array): number
  /** Writes several views in one go; the last argument says that there are no strings among them. */
  writev(request: HandleRequest, views: readonly Uint8Array[], allBuffers: true): number
  shutdown(request: HandleRequest): number
  close(callback?: () => void): void
  ref(): void
  unref(): void
  /** Bytes that the system has not taken. */
  readonly writeQueueSize?: number
  setNoDelay?(on: boolean): number
  setKeepAlive?(on: boolean, seconds: number): number
  getpeername?(out: { address?: string; port?: number; family?: string }): number
  reset?(callback: () => void): number
}

/** A listening handle. */
export interface ListeningHandle {
  setNoDelay?(on: boolean): number
  setKeepAlive?(on: boolean, seconds: number): number
  onconnection: ((status: number, handle: StreamHandle | undefined) => void) | undefined
  close(callback?: () => void): void
}

/** The private bindings that millrace uses. */
export interface Bindings {
  readonly TCP: new (type: number) => StreamHandle
  readonly Pipe: new (type: number) => StreamHandle
  /** The constructor of TLS handles, which node:tls calls; undefined in a Node.js without TLS. */
  readonly TLSWrap: unknown
  readonly WriteWrap: new () => HandleRequest
  readonly ShutdownWrap: new () => HandleRequest
  /** Set by Node before each callback and after each write; indices below. */
  readonly state: Int32Array
  readonly readBytesOrError: number
  readonly arrayBufferOffset: number
  readonly lastWriteWasAsync: number
}

interface StreamBinding {
  WriteWrap: Bindings['WriteWrap']
  ShutdownWrap: Bindings['ShutdownWrap']
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kArrayBufferOffset: number
  kLastWriteWasAsync: number
}

let detected: Bindings | null | undefined

/** The bindings, or undefined where this process can't or must not have them. */
export function bindings(): Bindings | undefined {
  if (detected === undefined) detected = detect() ?? null
  return detected ?? undefined
}

function detect(): Bindings | undefined {
  if (process.env['MILLRACE_PUBLIC_API'] === '1') return undefined
  // Other runtimes have objects of these names; their handles behave in other ways.
  if (runtime !== 'node') return undefined
  // Under the permission model process.binding throws.
  if ('permission' in process && process.permission !== undefined) return undefined
  try {
    const binding: unknown = Reflect.get(process, 'binding')
    // Under --pending-deprecation, however that is said, it is a wrapper that warns, and its prototype the function.
    if (typeof binding !== 'function' || Object.getPrototypeOf(binding) !== Function.prototype) return undefined
    const stream: StreamBinding = binding.call(process, 'stream_wrap')
    const tcp: { TCP: Bindings['TCP'] } = binding.call(process, 'tcp_wrap')
    const pipe: { Pipe: Bindings['Pipe'] } = binding.call(process, 'pipe_wrap')
    const tls: { TLSWrap?: unknown } = process.versions.openssl === undefined ? {} : binding.call(process, 'tls_wrap')
    return complete({
      TCP: tcp.TCP,
      Pipe: pipe.Pipe,
      TLSWrap: tls.TLSWrap,
      WriteWrap: stream.WriteWrap,
      ShutdownWrap: stream.ShutdownWrap,
      state: stream.streamBaseState,
      readBytesOrError: stream.kReadBytesOrError,
      arrayBufferOffset: stream.kArrayBufferOffset,
      lastWriteWasAsync: stream.kLastWriteWasAsync,
    })
  } catch {
    return undefined // this process has no such API, so the public one is used
  }
}

/** Returns the bindings if they are whole and Node's own; undefined if anything is missing or imitated. */
function complete(found: Bindings): Bindings | undefined {
  const methods = ['useUserBuffer', 'writeBuffer', 'writev', 'readStart', 'readStop', 'shutdown', 'close']
  const callable = methods.every((name) => isNative(Reflect.get(found.TCP.prototype, name)))
  const numbers = [found.readBytesOrError, found.arrayBufferOffset, found.lastWriteWasAsync]
  const counted = found.state instanceof Int32Array && numbers.every((index) => Number.isInteger(index))
  const constructors = [found.TCP, found.Pipe, found.WriteWrap, found.ShutdownWrap]
  return callable && counted && constructors.every(isNative) ? found : undefined
}

/** Whether a function is Node's own, in C++: that of another runtime is written in JavaScript. */
export function isNative(value: unknown): boolean {
  return typeof value === 'function' && /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(value))
}

/**
 * The handle of a TLS socket whose handshake is done and which has TCP or a pipe below it; undefined for TLS over any other
 * stream, whose handle calls JavaScript for each read and write.
 */
export function tlsHandleOf(socket: TLSSocket): StreamHandle | undefined {
  if (types.isProxy(socket)) return undefined
  const found = bindings()
  const handle: unknown = Reflect.get(socket, '_handle')
  if (found?.TLSWrap === undefined || typeof handle !== 'object' || handle === null) return undefined
  if (handle.constructor !== found.TLSWrap || socket.getPeerFinished() === undefined) return undefined
  return handleBelow(handle as StreamHandle) === undefined ? undefined : (handle as StreamHandle)
}

/** The handle to which a TLS handle gives what it has encrypted, if that is TCP or a pipe. */
export function handleBelow(handle: StreamHandle): StreamHandle | undefined {
  const below: unknown = Reflect.get(handle, '_parent')
  if (typeof below !== 'object' || below === null) return undefined
  const found = bindings()
  return below.constructor === found?.TCP || below.constructor === found?.Pipe ? (below as StreamHandle) : undefined
}

/** The TCP socket below a TLS socket that a server has accepted; undefined where there is none, or none is shown. */
export function socketBelow(socket: TLSSocket): Socket | undefined {
  const below: unknown = Reflect.get(socket, '_parent')
  return below instanceof Socket ? below : undefined
}

/** The TCP or pipe handle of an object that has one; TLS and HTTP/2 sockets have others, which must not be touched. */
export function streamHandleOf(socket: object): StreamHandle | undefined {
  // An HTTP/2 session shows its own socket through a proxy.
  if (types.isProxy(socket)) return undefined
  const found = bindings()
  const handle: unknown = Reflect.get(socket, '_handle')
  if (found === undefined || typeof handle !== 'object' || handle === null) return undefined
  const kind = handle.constructor
  return kind === found.TCP || kind === found.Pipe ? (handle as StreamHandle) : undefined
}

/**
 * Takes the handle from a socket, which ends without closing it, and need not stay in memory: node:child_process gives
 * handles away in the same manner. Nobody may be waiting for the socket's end.
 */
export function takeHandle(socket: Socket): StreamHandle | undefined {
  const handle = streamHandleOf(socket)
  if (handle === undefined) return undefined
  // The handle knows its socket by a symbol of Node's own.
  for (const owner of Object.getOwnPropertySymbols(handle)) {
    if (Reflect.get(handle, owner) === socket) Reflect.set(handle, owner, undefined)
  }
  Reflect.set(socket, '_handle', null)
  socket.destroy()
  return handle
}
