// Sends messages that may be compressed to whoever writes them: a peer's sending half, without a socket.
import { Buffer } from 'node:buffer'
import { codecOfThread } from '../codec/codec.js'
import type { Agreed } from '../connection/deflateAgreements.js'
import { Outgoing } from '../connection/sending/outgoing.js'
import { type Transport, WRITTEN } from '../transport/transport.js'
import { Flag, FrameSender } from './frameSender.js'
import type { SendCallback } from './sendCallbacks.js'
import { socketContext } from './socketContext.js'

export interface MessageFlags {
  readonly binary: boolean
  readonly compress: boolean
  readonly fin: boolean
}

export class DeflatingSender {
  readonly #frames: FrameSender

  /** `write` is given the bytes of the frames, which are its own. */
  constructor(write: (bytes: Buffer) => void, masks: boolean, agreed: Agreed) {
    const shared = socketContext({}, masks ? 'client' : 'server')
    const failed = (error: Error): never => {
      throw error
    }
    const owner = {
      flushed: (): void => this.#frames.hasLeft(),
      writeFailed: (): void => undefined,
      goesOn: (): void => this.#frames.outgoing.flush(),
    }
    const holder = { held: 0, gone: false, evicted: (): void => undefined }
    const outgoing = new Outgoing(writing(write), shared, owner, holder)
    this.#frames = new FrameSender(shared, { memorySpent: failed, blobFailed: failed }, outgoing, agreed.deflation)
  }

  send(
    payload: string | Uint8Array,
    { binary, compress, fin }: MessageFlags,
    callback: SendCallback | undefined,
  ): void {
    const flags = (binary ? Flag.binary : 0) | (compress ? Flag.compress : 0) | (fin ? Flag.fin : 0)
    this.#frames.send(payload, flags, callback)
    this.#frames.writeOut()
  }
}

/** A transport that only writes, and is done with that at once. */
function writing(write: (bytes: Buffer) => void): Transport {
  const nothing = (): void => undefined
  const ends = { end: nothing, endBoth: nothing, close: nothing, reset: nothing }
  const none = { remoteAddress: undefined, unsent: 0, secure: false, told: false }
  return {
    ...none,
    ...ends,
    open: nothing,
    pause: nothing,
    resume: nothing,
    write(pointer, length) {
      write(codecOfThread().copyOf(pointer, length))
      return WRITTEN
    },
    writeViews(views) {
      for (const view of views) write(Buffer.from(view))
      return WRITTEN
    },
  }
}
