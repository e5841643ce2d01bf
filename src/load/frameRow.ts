// Frames that are built one after the other in the memory of a load client.
import type { FrameBuffer } from '../connection/sending/encoder.js'

export class FrameRow implements FrameBuffer {
  readonly pointer: number
  /** Bytes of all frames. */
  length = 0

  /** The caller must own the memory from `pointer` on. */
  constructor(pointer: number) {
    this.pointer = pointer
  }

  reserve(): number {
    return this.pointer + this.length
  }

  commit(_pointer: number, length: number): void {
    this.length += length
  }
}
