// permessage-deflate (RFC 7692), with zlib on our side. Cases that need what a peer does not agree on are skipped.
import { Buffer } from 'node:buffer'
import { constants, deflateRawSync } from 'node:zlib'
import { OPCODE_CLOSE, OPCODE_CONTINUATION, OPCODE_PING, OPCODE_PONG } from '../../codec/frames.js'
import type { Bytes, DeflateWish, Draft, Frame, Step } from '../case.js'
import {
  begin,
  binary,
  binaryBack,
  fails,
  frame,
  group,
  letters,
  more,
  octets,
  pieces,
  ping,
  pongs,
  type Row,
  send,
  text,
  textBack,
} from '../vocabulary.js'
import { bytesIn } from '../wire.js'

const RSV1 = 4

interface Shape {
  readonly level?: number
  readonly strategy?: number
  readonly windowBits?: number
  /** What was compressed before, with context takeover. */
  readonly dictionary?: Buffer
  /** Z_SYNC_FLUSH by default: the stream stays open, and its last four bytes are left out (section 7.2.1). */
  readonly flush?: number
}

/** The payload of a compressed message. */
function deflated(message: Bytes | string, shape: Shape = {}): Buffer {
  const bytes = typeof message === 'string' ? Buffer.from(message) : bytesIn(message)
  const { flush = constants.Z_SYNC_FLUSH, windowBits = 15, ...rest } = shape
  const stream = deflateRawSync(bytes, { finishFlush: flush, windowBits, ...rest })
  return flush === constants.Z_SYNC_FLUSH ? stream.subarray(0, -4) : stream
}

const compressed = (payload: Bytes, change: Omit<Frame, 'opcode' | 'payload'> = {}): Frame =>
  text(payload, { reserved: RSV1, ...change })

const compressedBytes = (payload: Bytes): Frame => binary(payload, { reserved: RSV1 })

/** Without client_max_window_bits, nothing limits the window of what we compress (section 7.1.2.2). */
const PLAIN: DeflateWish = { offer: 'permessage-deflate' }
const WORDS = 'the mill turns, and turns, and turns, as long as the water runs'

const LENGTHS = [0, 1, 2, 10, 125, 126, 127, 1000, 65_535, 65_536, 262_144, 1 << 20]

const echoes = group(
  {
    section: '7692-7.2',
    rule: 'A compressed message is inflated, and has RSV1 set in its first frame.',
    deflate: PLAIN,
  },
  LENGTHS.flatMap((length): Row[] => [
    [
      `a compressed text of ${length} bytes`,
      [send(compressed(() => deflated(letters(length)))), textBack(letters(length))],
    ],
    [
      `a compressed binary message of ${length} bytes`,
      [send(compressedBytes(() => deflated(octets(length)))), binaryBack(octets(length))],
    ],
  ]),
)

const SHAPES: readonly (readonly [name: string, shape: Shape])[] = [
  ['stored blocks', { level: 0 }],
  ['the fastest level', { level: 1 }],
  ['the best level', { level: 9 }],
  ['fixed codes only', { strategy: constants.Z_FIXED }],
  ['Huffman codes only', { strategy: constants.Z_HUFFMAN_ONLY }],
  ['runs of a byte only', { strategy: constants.Z_RLE }],
  ['a window of 512 bytes', { windowBits: 9 }],
  ['a window of 4 KiB', { windowBits: 12 }],
]

const shapes = group(
  { section: '7692-7.2.2', rule: 'Every valid DEFLATE stream is inflated, whatever its blocks are.', deflate: PLAIN },
  [
    ...SHAPES.flatMap(([name, shape]): Row[] =>
      [100, 100_000].map((length): Row => {
        const steps = [send(compressedBytes(() => deflated(octets(length), shape))), binaryBack(octets(length))]
        return [`${length} bytes with ${name}`, steps]
      }),
    ),
    ['a block with BFINAL', [send(compressed(finalBlock(WORDS))), textBack(WORDS)], { section: '7692-7.2.3.5' }],
    [
      'two messages whose blocks have BFINAL',
      [send(compressed(finalBlock('one'))), textBack('one'), send(compressed(finalBlock('two'))), textBack('two')],
      { section: '7692-7.2.3.5' },
    ],
    [
      'a block with BFINAL before an empty one',
      [send(compressed(Buffer.of(0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00))), textBack('Hello')],
      { section: '7692-7.2.3.4' },
    ],
    [
      'the example with a stored block',
      [send(compressed(Buffer.from('000500faff48656c6c6f00', 'hex'))), textBack('Hello')],
      { section: '7692-7.2.3.3' },
    ],
    [
      'the example of one block',
      [send(compressed(Buffer.from('f248cdc9c90700', 'hex'))), textBack('Hello')],
      { section: '7692-7.2.3.1' },
    ],
    [
      'the example of two blocks',
      [send(compressed(Buffer.from('f248050000 00ffffcac9c90700'.replace(' ', ''), 'hex'))), textBack('Hello')],
      { section: '7692-7.2.3.5' },
    ],
    ['an empty message of one byte', [send(compressed(Buffer.of(0))), textBack('')], { section: '7692-7.2.3.6' }],
    [
      'a flush in the middle of a message',
      [send(compressed(flushed('half of it, ', 'and the rest'))), textBack('half of it, and the rest')],
    ],
    [
      'ten flushes in a message',
      [
        send(compressed(flushed(...Array.from({ length: 10 }, (_, at) => `part ${at}. `)))),
        textBack(Array.from({ length: 10 }, (_, at) => `part ${at}. `).join('')),
      ],
    ],
  ],
)

/** A block with BFINAL, and an empty stored one that the four bytes end which the receiver appends (section 7.2.3.4). */
function finalBlock(message: string): Buffer {
  return Buffer.concat([deflated(message, { flush: constants.Z_FINISH }), Buffer.of(0)])
}

/** Each part ends with a flush; only the last one leaves out its four bytes. */
function flushed(...parts: readonly string[]): Buffer {
  const blocks = parts.map((part) => deflateRawSync(Buffer.from(part), { finishFlush: constants.Z_SYNC_FLUSH }))
  return Buffer.concat(blocks).subarray(0, -4)
}

const cutInto = (payload: Buffer, size: number): readonly Frame[] => {
  const parts: Frame[] = []
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size)
    const isLast = at + size >= payload.length
    parts.push(at === 0 ? compressed(part, { fin: isLast }) : more(part, isLast))
  }
  return parts
}

const fragments = group(
  {
    section: '7692-6.1',
    rule: 'RSV1 stands on the first fragment of a compressed message only; any fragment may be empty.',
    deflate: PLAIN,
  },
  [
    ...[1, 2, 3, 7, 20].map(
      (size): Row => [
        `a compressed text in fragments of ${size} bytes`,
        [send(...cutInto(deflated(WORDS), size)), textBack(WORDS)],
      ],
    ),
    [
      'an empty first fragment',
      [send(compressed(Buffer.alloc(0), { fin: false }), more(deflated(WORDS))), textBack(WORDS)],
    ],
    ['an empty last fragment', [send(compressed(deflated(WORDS), { fin: false }), more('')), textBack(WORDS)]],
    [
      'a Ping between compressed fragments',
      [
        send(compressed(deflated(WORDS).subarray(0, 9), { fin: false }), ping('p'), more(deflated(WORDS).subarray(9))),
        pongs('p'),
        textBack(WORDS),
      ],
    ],
    ['a compressed text, one byte at a time', [pieces(1, compressed(deflated(WORDS))), textBack(WORDS)]],
    [
      'a character of three bytes that the fragments cut',
      [send(...cutInto(deflated('€'.repeat(30), { level: 0 }), 8)), textBack('€'.repeat(30))],
    ],
    [
      'RSV1 on a continuation',
      [
        send(
          compressed(deflated(WORDS).subarray(0, 9), { fin: false }),
          frame(OPCODE_CONTINUATION, deflated(WORDS).subarray(9), { reserved: RSV1 }),
        ),
        fails(1002),
      ],
    ],
    [
      'RSV1 on a continuation of an uncompressed message',
      [send(begin('ab'), frame(OPCODE_CONTINUATION, deflated('cd'), { reserved: RSV1 })), fails(1002)],
    ],
  ],
)

const mixed = group(
  { section: '7692-6', rule: 'Compressed and uncompressed messages may take turns.', deflate: PLAIN },
  [
    ['an uncompressed text', [send(text(WORDS)), textBack(WORDS)]],
    ['an uncompressed message in fragments', [send(begin('one, '), more('two')), textBack('one, two')]],
    [
      'a compressed text, and an uncompressed one',
      [send(compressed(deflated(WORDS)), text('plain')), textBack(WORDS), textBack('plain')],
    ],
    [
      'an uncompressed text, and a compressed one',
      [send(text('plain'), compressed(deflated(WORDS))), textBack('plain'), textBack(WORDS)],
    ],
    ['a hundred compressed messages of one letter in one write', hundred()],
  ],
)

function hundred(): readonly Step[] {
  const stored = deflated('x', { level: 0 })
  return [
    send(...Array.from({ length: 100 }, () => compressed(stored))),
    ...Array.from({ length: 100 }, () => textBack('x')),
  ]
}

const control = group(
  {
    section: '7692-6.1',
    rule: 'Control frames are never compressed: RSV1 on one of them is a violation.',
    deflate: PLAIN,
  },
  [
    ['a Ping with RSV1', [send(frame(OPCODE_PING, 'p', { reserved: RSV1 })), fails(1002)]],
    ['a Pong with RSV1', [send(frame(OPCODE_PONG, 'p', { reserved: RSV1 })), fails(1002)]],
    ['a Close frame with RSV1', [send(frame(OPCODE_CLOSE, Buffer.of(3, 232), { reserved: RSV1 })), fails(1002)]],
    ['RSV2 on a compressed text', [send(text(deflated(WORDS), { reserved: 6 })), fails(1002)]],
    ['RSV3 on a compressed text', [send(text(deflated(WORDS), { reserved: 5 })), fails(1002)]],
    ['RSV2 on an uncompressed text', [send(text(WORDS, { reserved: 2 })), fails(1002)]],
  ],
)

const WRONG: readonly (readonly [name: string, payload: Buffer])[] = [
  ['a block of the reserved type', Buffer.of(0x07)],
  ['bytes of 255', Buffer.alloc(20, 255)],
  ['a stored block whose lengths differ', Buffer.from('000500000048656c6c6f00', 'hex')],
  ['a match before the beginning', Buffer.from('4304000000', 'hex')],
  ['more than 286 literal and length codes', Buffer.from('f40000000000', 'hex')],
  ['a stored block that is cut', Buffer.from('00ff0000ff4865', 'hex')],
]

const corrupt = group(
  { section: '7692-7.2.2', rule: 'Data that is no DEFLATE fails the connection.', deflate: PLAIN },
  [
    ...WRONG.map(([name, payload]): Row => [name, [send(compressed(payload)), fails(1007, 1002, 1011, 1003)]]),
    [
      'no DEFLATE in the second message',
      [
        send(compressed(deflated('one', { level: 0 }))),
        textBack('one'),
        send(compressed(Buffer.of(7))),
        fails(1007, 1002, 1011, 1003),
      ],
    ],
    [
      'no DEFLATE in fragments',
      [send(compressed(Buffer.of(7), { fin: false }), more(Buffer.of(255))), fails(1007, 1002, 1011, 1003)],
    ],
    [
      'a compressed text that is not UTF-8',
      [send(compressed(deflated(() => Buffer.from('6f6bff', 'hex')))), fails(1007)],
      { section: '8.1' },
    ],
    [
      'a compressed text that ends within a character',
      [send(compressed(deflated(() => Buffer.from('6f6be282', 'hex')))), fails(1007)],
      { section: '8.1' },
    ],
  ],
)

export const compression: readonly Draft[] = [...echoes, ...shapes, ...fragments, ...mixed, ...control, ...corrupt]
