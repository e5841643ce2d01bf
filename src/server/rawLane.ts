// The first lane of the opening handshake: connections accepted at the handle, whose upgrade request came whole in one
// read and reads the same for everyone. All others go to the second lane with what was read.
import type { Buffer } from 'node:buffer'
import type { Server as NetServer } from 'node:net'
import type { Deadlines } from '../connection/deadlines.js'
import { acceptHandles } from '../internals/accept.js'
import type { StreamHandle } from '../internals/node.js'
import { readChunks, startReading } from '../internals/stream.js'
import { checkUpgrade, type UpgradeRequest } from '../protocol/openingHandshake.js'
import { readRequestHead } from '../protocol/requestHead.js'

/** Idle connections of dead peers are noticed by the system after this many seconds. */
const KEEP_ALIVE = 60

export interface RawLaneOptions {
  readonly deadlines: Deadlines
  /** Time for the first bytes to come, in milliseconds. */
  readonly handshakeTimeout: number
  /** The handshake is accepted; `early` is what came behind the request. */
  upgraded(handle: StreamHandle, request: UpgradeRequest, early: Buffer): void
  /** This lane is not sure: the second one decides. */
  handedOver(handle: StreamHandle, read: Buffer): void
}

export class RawLane {
  readonly #options: RawLaneOptions
  /** Connections that have sent nothing yet. */
  readonly #silent = new Set<StreamHandle>()

  constructor(options: RawLaneOptions) {
    this.#options = options
  }

  /** Accepts for a listening server; false if its handle can't be taken over, and everything goes the second way. */
  attach(server: NetServer): boolean {
    return acceptHandles(
      server,
      (handle) => this.#accept(handle),
      (status) => process.emitWarning(`a connection could not be accepted (libuv error ${status})`, 'MillraceWarning'),
    )
  }

  /** Closes the connections that have sent nothing yet. */
  close(): void {
    for (const handle of this.#silent) this.#drop(handle)
  }

  #accept(handle: StreamHandle): void {
    handle.setNoDelay?.(true)
    handle.setKeepAlive?.(true, KEEP_ALIVE)
    this.#silent.add(handle)
    this.#options.deadlines.set(handle, this.#options.handshakeTimeout, () => this.#drop(handle))
    readChunks(handle, (chunk) => {
      if (chunk === undefined) this.#drop(handle)
      else this.#read(handle, chunk)
    })
    if (!startReading(handle)) this.#drop(handle)
  }

  #read(handle: StreamHandle, chunk: Buffer): void {
    this.#silent.delete(handle)
    this.#options.deadlines.clear(handle)
    const head = readRequestHead(chunk.toString('latin1'))
    if (head === undefined || checkUpgrade(head.request) !== undefined) this.#options.handedOver(handle, chunk)
    else this.#options.upgraded(handle, head.request, chunk.subarray(head.length))
  }

  #drop(handle: StreamHandle): void {
    this.#silent.delete(handle)
    this.#options.deadlines.clear(handle)
    handle.close()
  }
}
