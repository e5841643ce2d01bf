// The type of bytes that lie in memory of their own, and not in the codec's shared memory.
import type { Buffer } from 'node:buffer'

/**
 * Bytes in memory of their own, to which nobody else writes: a Buffer over an ArrayBuffer, which Blob and crypto.subtle
 * accept. The type is `Buffer<ArrayBuffer>` with TypeScript 5.7 or later, and `Buffer` with earlier versions.
 */
export type OwnBytes = ReturnType<typeof Buffer.alloc>
