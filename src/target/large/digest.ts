// The SHA-256 of a message. As a module of the option `large` it runs in a thread of the pool; a short message is worked
// on where it arrives.
import { createHash } from 'node:crypto'

/** A message, whole and readable now. */
interface Readable {
  readonly bytes: Uint8Array
}

export function digest({ bytes }: Readable): string {
  return createHash('sha256').update(bytes).digest('hex')
}
