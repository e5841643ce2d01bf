// The messages that every client sends: each tier's first and last length, as ASCII, as text of one to four bytes a
// character, and as bytes of every value.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'

/** Around where the header changes: 7-bit up to 125, 16-bit up to 65,535, 64-bit above. */
export const lengths = [0, 1, 125, 126, 65_535, 65_536, 1_048_576] as const

export type Payload = string | Buffer

const PHRASE = 'wheel, río, 水車 🌊 '
const PHRASE_BYTES = Buffer.byteLength(PHRASE)

export function ascii(length: number): string {
  return 'The miller grinds at dawn. '.repeat(Math.ceil(length / 27)).slice(0, length)
}

/** Text of `length` bytes in UTF-8. A message cut anywhere is cut inside a character sooner or later. */
export function multiByte(length: number): string {
  const rest = length % PHRASE_BYTES
  return '.'.repeat(rest) + PHRASE.repeat((length - rest) / PHRASE_BYTES)
}

/** Bytes that repeat with a period no buffer has, and differ for each `seed`. */
export function binary(length: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(length)
  const period = Math.min(length, 65_536) // the formula's own
  for (let at = 0; at < period; at++) bytes[at] = (at * 167 + (at >> 8) * 59 + seed * 101) & 255
  for (let at = period; at < length; at *= 2) bytes.copy(bytes, at, 0, at)
  return bytes
}

/** Every kind of message of one length. */
export function payloads(length: number): Payload[] {
  return [ascii(length), multiByte(length), binary(length)]
}

export function describe(payload: Payload): string {
  return `${Buffer.byteLength(payload)} bytes of ${typeof payload === 'string' ? 'text' : 'binary'}`
}

/** Both are text or both are binary, and every byte is the same. Says where they differ, not all they hold. */
export function assertSame(received: Payload, sent: Payload, where = ''): void {
  assert.equal(typeof received, typeof sent, `${where} the kind of message`)
  const [back, out] = [Buffer.from(received), Buffer.from(sent)]
  if (back.equals(out)) return
  const different = out.findIndex((byte, at) => byte !== back[at])
  assert.equal(different, -1, `${where} ${describe(sent)}: byte ${different} differs`)
  assert.equal(back.length, out.length, `${where} the length`)
}
