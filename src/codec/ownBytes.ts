// The type of bytes that lie in memory of their own, and not in the codec's shared memory.
import type { Buffer } from 'node:buffer'

/**
 * Bytes in memory of their own, which nobody else writes to: a Buffer over an ArrayBuffer, which Blob and crypto.subtle
 * take. It is `Buffer<ArrayBuffer>` from TypeScript 5.7 on, and `Buffer` before.
 */
export type OwnBytes = ReturnType<typeof Buffer.alloc>
