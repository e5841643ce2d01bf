// What compresses for one connection, or for one message: the codec's own deflater, or zlib for `level: 'best'`. A long
// piece may be compressed elsewhere: on a copy, so that nothing has happened until the copy is taken over.
import type { DeflateTask } from './codecTask.js'
import type { Heap } from './heap.js'

export interface DeflateEngine {
  /** Where its memory comes from. */
  readonly heap: Heap
  /** Bytes of the heap that it holds. */
  readonly size: number
  /** Bytes that the last call of `deflate` has written. */
  readonly written: number
  /** Bytes of room in which `length` bytes have their place, whatever they are. */
  bound(length: number): number
  /**
   * Compresses what lies at `from`, and writes it to `to`, where there is room for `bound(length)`; `last` is the end of a
   * message, which is written but for the 00 00 ff ff that RFC 7692, section 7.2.1 leaves out. Throws OutOfMemory.
   */
  deflate(from: number, length: number, to: number, room: number, last: boolean): number
  /** Between messages: what follows does not refer to what came before (section 7.1.1.1). */
  forget(): void
  /** A copy that goes on from here. Throws OutOfMemory. */
  fork(): DeflateEngine
  /** Goes on from where a copy of this engine has come to; the copy is gone. */
  adopt(copy: DeflateEngine): void
  /** The same as a call of `deflate`, for another thread; once that has done it, `done` must follow. */
  task(from: number, length: number, to: number, room: number, last: boolean): DeflateTask
  done(from: number, length: number): void
  /** Gives its memory back; nothing must be compressed after this. */
  free(): void
}
