// Frames: every boundary of the three length forms, masks, reserved bits and reserved opcodes (RFC 6455, sections 5.1 to 5.3).
import { Buffer } from 'node:buffer'
import { OPCODE_CLOSE, OPCODE_CONTINUATION, OPCODE_PING } from '../../codec/frames.js'
import type { Draft, Frame, LengthForm, Step } from '../case.js'
import {
  alive,
  begin,
  binary,
  binaryBack,
  close,
  cutAt,
  fails,
  frame,
  group,
  letters,
  more,
  octets,
  pieces,
  ping,
  pong,
  type Row,
  send,
  text,
  textBack,
} from '../vocabulary.js'

const LENGTHS = [
  0,
  1,
  2,
  124,
  125,
  126,
  127,
  128,
  129,
  255,
  256,
  4096,
  65_534,
  65_535,
  65_536,
  65_537,
  131_072,
  1 << 20,
]

const echoes = group(
  { section: '5.2', rule: 'A payload length is written in 7, 16 or 64 bits, and each of them is read.' },
  LENGTHS.flatMap((length): Row[] => [
    [`a text of ${length} bytes`, [send(text(letters(length))), textBack(letters(length))]],
    [`a binary message of ${length} bytes`, [send(binary(octets(length))), binaryBack(octets(length))]],
  ]),
)

/** Bytes of a write, by the length of the message: a message of 64 KiB in single bytes would take long. */
const CHOPPED: readonly (readonly [length: number, size: number])[] = [
  [0, 1],
  [1, 1],
  [125, 1],
  [126, 1],
  [127, 3],
  [1000, 7],
  [65_535, 997],
  [65_536, 1021],
  [1 << 20, 16_384],
]

const chopped = group(
  { section: '5.2', rule: 'TCP keeps no boundaries: a frame may arrive in any pieces.' },
  CHOPPED.flatMap(([length, size]): Row[] => [
    [`a text of ${length} bytes, ${size} at a time`, [pieces(size, text(letters(length))), textBack(letters(length))]],
  ]),
)

const cuts = group(
  { section: '5.2', rule: 'A header may be cut anywhere.' },
  (
    [
      [5, 6],
      [126, 8],
      [65_536, 14],
    ] as const
  ).flatMap(([length, header]) =>
    Array.from({ length: header }, (_, at): Row => {
      const steps = [cutAt(at + 1, binary(octets(length))), binaryBack(octets(length))]
      return [`a binary message of ${length} bytes, cut behind byte ${at + 1}`, steps]
    }),
  ),
)

const many = group(
  { section: '5.2', rule: 'Many frames may arrive at once, and each is a message of its own.' },
  [2, 10, 100, 1000].map((count): Row => {
    const words = Array.from({ length: count }, (_, at) => `message ${at} of ${count}`)
    return [`${count} messages in one write`, [send(...words.map((word) => text(word))), ...words.map(textBack)]]
  }),
)

const FORMS: readonly (readonly [length: number, form: LengthForm])[] = [
  [0, 16],
  [1, 16],
  [125, 16],
  [0, 64],
  [1, 64],
  [125, 64],
  [126, 64],
  [65_535, 64],
]

const minimal = group(
  {
    section: '5.2',
    level: 'should',
    rule: 'A payload length is written in the least number of bytes; who gets another need not fail the connection, but a strict peer does.',
  },
  [
    ...FORMS.map(
      ([length, form]): Row => [
        `a binary message of ${length} bytes whose length is written in ${form} bits`,
        [send(binary(octets(length), { form })), fails(1002)],
      ],
    ),
    ['a Ping of 4 bytes whose length is written in 16 bits', [send(ping('ping', { form: 16 })), fails(1002)]],
    ['a Ping of 4 bytes whose length is written in 64 bits', [send(ping('ping', { form: 64 })), fails(1002)]],
    [
      'a continuation of 4 bytes whose length is written in 16 bits',
      [send(begin('ab'), frame(OPCODE_CONTINUATION, 'cdef', { form: 16 })), fails(1002)],
    ],
    ...[1n << 63n, (1n << 63n) + 5n, (1n << 64n) - 1n].map(
      (announced): Row => [
        `a length of 64 bits whose top bit is set: ${announced.toString(16)}`,
        [send(binary('', { form: 64, announced })), fails(1002, 1009)],
        { level: 'must', rule: 'The top bit of a length of 64 bits is 0.' },
      ],
    ),
  ],
)

const KINDS: readonly (readonly [name: string, frame: (change: Omit<Frame, 'opcode'>) => Frame])[] = [
  ['a text', (change) => text('words', change)],
  ['an empty text', (change) => text('', change)],
  ['a binary message', (change) => binary('bytes', change)],
  ['a binary message of 200 bytes', (change) => binary(octets(200), change)],
  ['a binary message of 65,536 bytes', (change) => binary(octets(65_536), change)],
  ['a first fragment', (change) => text('words', { ...change, fin: false })],
  ['a Ping', (change) => ping('ping', change)],
  ['an empty Ping', (change) => ping('', change)],
  ['a Pong', (change) => pong('pong', change)],
  ['a Close frame', (change) => close(1000, '', change)],
]

const masks = group(
  {
    section: '5.1',
    rule: 'A client masks every frame, and a server masks none; whoever gets another fails the connection.',
  },
  [
    ...KINDS.map(
      ([name, make]): Row => [`${name} with the wrong mask bit`, [send(make({ wrongMask: true })), fails(1002)]],
    ),
    ['a wrong mask bit after a right message', [...alive, send(text('words', { wrongMask: true })), fails(1002)]],
    [
      'a continuation with the wrong mask bit',
      [send(begin('ab'), frame(OPCODE_CONTINUATION, 'cd', { wrongMask: true })), fails(1002)],
    ],
  ],
)

const key = (...bytes: number[]): { readonly key: Uint8Array } => ({ key: Buffer.from(bytes) })
const KEYS = [
  key(0, 0, 0, 0),
  key(255, 255, 255, 255),
  key(0, 0, 0, 1),
  key(0x80, 0, 0, 0),
  key(0x37, 0xfa, 0x21, 0x3d),
]

const keys = group(
  { section: '5.3', rule: 'Any four bytes are a masking key, and each frame has its own.', side: 'server' },
  [
    ...KEYS.map((one): Row => {
      const payload = octets(1000)
      return [`the key ${Buffer.from(one.key).toString('hex')}`, [send(binary(payload, one)), binaryBack(payload)]]
    }),
    [
      'another key for each fragment',
      [
        send(
          begin('one, '),
          frame(OPCODE_CONTINUATION, 'two, ', { ...key(1, 2, 3, 4), fin: false }),
          frame(OPCODE_CONTINUATION, 'three', key(9, 8, 7, 6)),
        ),
        textBack('one, two, three'),
      ],
    ],
    ...[1, 2, 3, 5, 7].map((length): Row => {
      const frames = Array.from({ length: 8 }, (_, at) => binary(octets(length), key(at, 255 - at, 17 * at, 3)))
      const back = frames.map((): Step => binaryBack(octets(length)))
      return [`eight messages of ${length} bytes, each with a key of its own`, [send(...frames), ...back]]
    }),
  ],
)

const ownKeys = group(
  { section: '5.3', rule: 'A client takes a new, unpredictable key for each frame.', side: 'client' },
  [
    [
      'eight messages have more than one key',
      [
        ...Array.from({ length: 8 }, () => send(text('the same words'))),
        ...Array.from({ length: 8 }, () => textBack('the same words')),
        { step: 'keysDiffer' },
      ],
    ],
  ],
)

const RESERVED_BITS = [1, 2, 3, 4, 5, 6, 7]
const CARRIERS: readonly (readonly [name: string, steps: (reserved: number) => readonly Step[]])[] = [
  ['a text', (reserved) => [send(text('words', { reserved }))]],
  ['a binary message', (reserved) => [send(binary('bytes', { reserved }))]],
  ['a continuation', (reserved) => [send(begin('ab'), frame(OPCODE_CONTINUATION, 'cd', { reserved }))]],
  ['a Ping', (reserved) => [send(frame(OPCODE_PING, 'ping', { reserved }))]],
  ['a Pong', (reserved) => [send(pong('pong', { reserved }))]],
  ['a Close frame', (reserved) => [send(frame(OPCODE_CLOSE, Buffer.of(3, 232), { reserved }))]],
]

const bits = group(
  { section: '5.2', rule: 'RSV1, RSV2 and RSV3 are 0 where no extension was agreed on that says what they mean.' },
  CARRIERS.flatMap(([name, steps]) =>
    RESERVED_BITS.map(
      (reserved): Row => [
        `${name} with the reserved bits ${reserved.toString(2).padStart(3, '0')}`,
        [...steps(reserved), fails(1002)],
      ],
    ),
  ),
)

const OPCODES = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]

const opcodes = group(
  { section: '5.2', rule: 'The opcodes 3 to 7 and 11 to 15 are reserved: whoever gets one fails the connection.' },
  OPCODES.flatMap((opcode): Row[] => [
    [`opcode ${opcode}, empty`, [send(frame(opcode)), fails(1002)]],
    [`opcode ${opcode} with a payload, after a message`, [...alive, send(frame(opcode, 'payload')), fails(1002)]],
    [`opcode ${opcode} without FIN`, [send(frame(opcode, 'part', { fin: false })), fails(1002)]],
    [`opcode ${opcode} within a message`, [send(begin('ab'), frame(opcode, 'cd'), more('ef')), fails(1002)]],
  ]),
)

export const framing: readonly Draft[] = [
  ...masks,
  ...echoes,
  ...chopped,
  ...cuts,
  ...many,
  ...minimal,
  ...bits,
  ...opcodes,
  ...keys,
  ...ownKeys,
]
