// Where frames are built: what the encoder writes to, and each sending half and each queue is.

/** Where frames are built. */
export interface FrameBuffer {
  /** Where a frame of at most `length` bytes may be built; `commit` must follow, before anything else. */
  reserve(length: number): number
  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(pointer: number, length: number): void
}
