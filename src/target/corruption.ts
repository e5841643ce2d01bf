// What `/corrupt` sends: bytes that break a rule of RFC 6455 or RFC 7692, each with the rule and with what a right client
// does. Two of them break none, and break clients all the same.
import { deflateRawSync } from 'node:zlib'

export interface Corruption {
  /** What is wrong, and in which section that stands. */
  readonly about: string
  /** The close code of a right client, or what it does instead. */
  readonly client: string
  readonly bytes: Uint8Array
  /** Whether the target half-closes behind these bytes. */
  readonly ends?: boolean
}

const TEXT = 0x81
const HELLO = Buffer.from('hello')

function frame(first: number, payload: Uint8Array): Buffer {
  if (payload.length < 126) return Buffer.concat([Buffer.of(first, payload.length), payload])
  return Buffer.concat([Buffer.of(first, 126, payload.length >> 8, payload.length & 255), payload])
}

/** A frame as clients send it: with a mask (section 5.3). */
function masked(first: number, payload: Uint8Array): Buffer {
  const mask = Buffer.of(1, 2, 3, 4)
  const hidden = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return Buffer.concat([Buffer.of(first, 0x80 | payload.length), mask, hidden])
}

/** A message whose DEFLATE block says that it is the last one (RFC 7692, section 7.2.3.4). */
function finalBlock(): Buffer {
  return frame(TEXT | 0x40, Buffer.concat([deflateRawSync(HELLO), Buffer.of(0)]))
}

export const corruptions = {
  mask: { about: 'a masked frame (5.1)', client: '1002', bytes: masked(TEXT, HELLO) },
  rsv: { about: 'a frame with RSV2 (5.2)', client: '1002', bytes: frame(TEXT | 0x20, HELLO) },
  opcode: { about: 'the reserved opcode 3 (5.2)', client: '1002', bytes: frame(0x83, HELLO) },
  'control-opcode': { about: 'the reserved control opcode 11 (5.2)', client: '1002', bytes: frame(0x8b, HELLO) },
  length: {
    about: '5 bytes with a 16-bit length (5.2)',
    client: '1002',
    bytes: Buffer.concat([Buffer.of(TEXT, 126, 0, 5), HELLO]),
  },
  'length-sign': {
    about: 'a 64-bit length whose first bit is 1 (5.2)',
    client: '1002',
    bytes: Buffer.of(0x82, 127, 128, 0, 0, 0, 0, 0, 0, 5),
  },
  huge: {
    about: 'a frame that says it has 2^62 bytes (5.2)',
    client: '1009 (or 1002)',
    bytes: Buffer.of(0x82, 127, 64, 0, 0, 0, 0, 0, 0, 0),
  },
  continuation: { about: 'a continuation of nothing (5.4)', client: '1002', bytes: frame(0x80, HELLO) },
  interleaved: {
    about: 'a second message within the first (5.4)',
    client: '1002',
    bytes: Buffer.concat([frame(0x01, HELLO), frame(TEXT, HELLO)]),
  },
  ping: { about: 'a ping of 126 bytes (5.5)', client: '1002', bytes: frame(0x89, Buffer.alloc(126)) },
  'ping-fragment': { about: 'a ping in fragments (5.5)', client: '1002', bytes: frame(0x09, HELLO) },
  close: { about: 'a Close frame of 1 byte (5.5.1)', client: '1002', bytes: frame(0x88, Buffer.of(3)) },
  'close-code': { about: 'a Close frame with 1005 (7.4.1)', client: '1002', bytes: frame(0x88, Buffer.of(3, 0xed)) },
  'close-reason': {
    about: 'a Close reason that is no UTF-8 (5.5.1)',
    client: '1007 (or 1002)',
    bytes: frame(0x88, Buffer.of(3, 0xe8, 0xff)),
  },
  utf8: { about: 'text that is no UTF-8 (8.1)', client: '1007', bytes: frame(TEXT, Buffer.of(0x68, 0xc3, 0x28)) },
  surrogate: {
    about: 'text with half of a surrogate pair (8.1)',
    client: '1007',
    bytes: frame(TEXT, Buffer.of(0xed, 0xa0, 0x80)),
  },
  deflate: {
    about: 'compressed bytes that no DEFLATE made (RFC 7692, 7.2.2)',
    client: '1007 or 1002',
    bytes: frame(TEXT | 0x40, Buffer.of(0xff, 0xff, 0xff)),
  },
  bfinal: {
    about: 'a compressed message whose block is the last one: allowed (RFC 7692, 7.2.3.4)',
    client: 'gets "hello"',
    bytes: finalBlock(),
  },
  empty: {
    about: 'a message of three empty fragments: allowed (5.4)',
    client: 'gets an empty message',
    bytes: Buffer.of(1, 0, 0, 0, 0x80, 0),
  },
  truncated: {
    about: 'half a frame, and then the end of the stream (7.1.5)',
    client: '1006',
    bytes: Buffer.of(TEXT, 100, 0x68),
    ends: true,
  },
  http: {
    about: 'an HTTP answer instead of a frame (5.2)',
    client: '1002',
    bytes: Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
  },
} as const satisfies Readonly<Record<string, Corruption>>

export type CorruptionName = keyof typeof corruptions

export const corruptionNames = Object.keys(corruptions) as CorruptionName[]
