// The seam between a connection and its bytes. Every transport reads into the codec's memory and writes from it.

/** How `write` ended: the memory is free again, or in use until `written` is called. A negative number is an error. */
export { PENDING, WRITTEN } from '../internals/stream.js'

import type { Socket } from 'node:net'
import type { InboxReader } from '../memory/inbox.js'

/** The connection's side of the seam; what is read comes to it by way of the inbox. */
export interface Receiver extends InboxReader {
  /** Whether memory is short: then little should be read at a time, as it may have to be kept. */
  readonly frugal?: boolean
  /** The peer has half-closed: nothing more will come. */
  ended(): void
  /** A write that was PENDING is done; `status` is 0 or negative. */
  written(status: number): void
  /** Nothing is read until others have had their turns; or it is again. */
  awaitsTurn?(awaits: boolean): void
  /** A handle that is no socket's is being closed. */
  closing?(): void
  /** The handle is also that of a socket of node:net, from now on: others may write to it, and end it. */
  alsoOf?(socket: Socket): void
  /** The transport has failed, and why; then `closed` follows. */
  failing?(error: Error): void
  /** The transport is gone: closed by us, by the peer, or by an error. Called once, last. */
  closed(): void
}

/** The transport's side of the seam. After `close`, every call is harmless. */
export interface Transport {
  readonly remoteAddress: string | undefined
  /** Whether it is in no async context, so that nobody need look for one. */
  readonly outside?: boolean
  /** Whether nothing is read until others have had their turns. */
  readonly awaitsTurn?: boolean
  /** Bytes of the write under way that the system has not taken: while that changes, the peer is reading. */
  readonly unsent: number
  /** Starts reading; from now on, `receiver` is told of everything. */
  open(receiver: Receiver): void
  /**
   * Stops and starts reading. While stopped, neither bytes nor the end nor a reset is noticed. `workedOn` is whether that is
   * for as long as somebody works on what was read.
   */
  pause(workedOn?: boolean): void
  resume(): void
  /** Sends from the codec's memory. One write at a time: not while one is PENDING. */
  write(pointer: number, length: number): number
  /** The same from memory of the application's, which stays as it is until the write is done. */
  writeViews(views: readonly Uint8Array[]): number
  /** Half-closes, after what was written. */
  end(): void
  /** Ends both halves when what was written has left. Where the peer does not read that, `close` must follow. */
  endBoth(): void
  /** Ends everything at once. `closed` follows, never before this returns. */
  close(): void
  /** The same, with a TCP reset where the transport has one: what was written and has not arrived is lost. */
  reset(): void
}

/** Puts another transport between a connection and its own: what is sent then does not leave as it was framed. */
export type Interposed = (transport: Transport, data: unknown) => Transport
