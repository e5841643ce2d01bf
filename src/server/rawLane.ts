// The first lane of the opening handshake: connections accepted at the handle, whose upgrade request came whole in one
// read and reads the same for everyone. All others go to the second lane with what was read.
import type { Buffer } from 'node:buffer'
import type { Server as NetServer } from 'node:net'
import type { Deadlines, Expiring } from '../connection/deadlines.js'
import { acceptHandles } from '../internals/accept.js'
import type { StreamHandle } from '../internals/node.js'
import { type ChunkReader, readChunks, startReading } from '../internals/stream.js'
import { checkUpgrade, type UpgradeRequest } from '../protocol/openingHandshake.js'
import { readRequestHead } from '../protocol/requestHead.js'

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
  readonly #silent = new Set<Arrival>()

  constructor(options: RawLaneOptions) {
    this.#options = options
  }

  /** Accepts for a listening server; false if its handle can't be taken over, and everything goes the second way. */
  attach(server: NetServer): boolean {
    return acceptHandles(
      server,
      (handle) => new Arrival(handle, this.#options, this.#silent),
      (status) => process.emitWarning(`a connection could not be accepted (libuv error ${status})`, 'MillraceWarning'),
    )
  }

  /** Closes the connections that have sent nothing yet. */
  close(): void {
    for (const arrival of this.#silent) arrival.expired()
  }
}

/** A connection from its acceptance to its first read. */
class Arrival implements Expiring, ChunkReader {
  readonly #handle: StreamHandle
  readonly #options: RawLaneOptions
  readonly #silent: Set<Arrival>

  constructor(handle: StreamHandle, options: RawLaneOptions, silent: Set<Arrival>) {
    this.#handle = handle
    this.#options = options
    this.#silent = silent
    silent.add(this)
    options.deadlines.set(this, options.handshakeTimeout)
    readChunks(handle, this)
    if (!startReading(handle)) this.expired()
  }

  readChunk(chunk: Buffer | undefined): void {
    if (chunk === undefined) return this.expired()
    this.#leave()
    const head = readRequestHead(chunk.toString('latin1'))
    if (head === undefined || checkUpgrade(head.request) !== undefined) this.#options.handedOver(this.#handle, chunk)
    else this.#options.upgraded(this.#handle, head.request, chunk.subarray(head.length))
  }

  /** Nothing came in time, or the peer has gone. */
  expired(): void {
    this.#leave()
    this.#handle.close()
  }

  #leave(): void {
    this.#silent.delete(this)
    this.#options.deadlines.clear(this)
  }
}
