// The bytes of a message that is longer than memory should be: one block, again and again.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { payloadOf } from '../../src/load/payload.js'
import { MIB } from './section.js'

/** As long as a multiple of the masking key, so that it looks the same wherever it stands, masked or not. */
export const BLOCK: Buffer = payloadOf('binary', MIB)

/** What a server hashes with: the fastest of node:crypto that is fit for the purpose, where the processor helps. */
export const HASH = 'sha256'

export function masked(key: Buffer): Buffer {
  return Buffer.from(BLOCK.map((byte, at) => byte ^ (key[at % key.length] ?? 0)))
}

/** `block` again and again, up to `length` bytes. */
export function* repeated(block: Buffer, length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block
}

export function digestOf(length: number): string {
  const hash = createHash(HASH)
  for (const block of repeated(BLOCK, length)) hash.update(block)
  return hash.digest('hex')
}
