// What a client may not send where compression was agreed on, by the sections of the Autobahn test suite, and the codes with
// which it must be told so.
import { Buffer } from 'node:buffer'
import { BINARY, buildFrame, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'
import type { StrictDeflateClient } from '../support/strictDeflateClient.js'

export interface Part {
  readonly opcode: number
  readonly payload?: Buffer | string
  readonly fin?: boolean
  /** The three reserved bits; 4 is RSV1. */
  readonly reserved?: number
}

const KEY = Buffer.of(0x9a, 0x21, 0x4c, 0xd7)

/** The frames as a client sends them. */
export function framesOf(parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.map((part) => buildFrame({ ...part, key: KEY })))
}

/** A frame that does not end its message, and one that begins a compressed message. */
export const cut = { fin: false }
export const marked = { reserved: 4 }
/** What a message says that is right. */
export const hello = 'Hello, κόσμε'

/** What a client sends, and the code that the server must close with. */
export type Offence = readonly [what: string, parts: (client: StrictDeflateClient) => readonly Part[], code: number]

/** The payload of a compressed message. */
export const zip = (client: StrictDeflateClient, text: string | Buffer = hello): Buffer =>
  client.compressed(Buffer.from(text))

export const offences: readonly Offence[] = [
  // Section 3: reserved bits.
  ...[1, 2, 3, 5, 6, 7].map(
    (reserved): Offence => [
      `3: the reserved bits ${reserved}`,
      (client) => [{ opcode: TEXT, payload: zip(client), reserved }],
      1002,
    ],
  ),
  // Section 4: opcodes.
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): Offence[] => [
    [`4: the opcode ${opcode}`, () => [{ opcode, payload: 'x' }], 1002],
    [`4: the opcode ${opcode}, marked`, (client) => [{ opcode, payload: zip(client), ...marked }], 1002],
  ]),
  // Control frames (sections 2, 5, 7).
  ...[CLOSE, PING, PONG].flatMap((opcode): Offence[] => [
    [`2: the control frame ${opcode}, marked and empty`, () => [{ opcode, ...marked }], 1002],
    [`2: the control frame ${opcode}, compressed`, (client) => [{ opcode, payload: zip(client), ...marked }], 1002],
    [`2: the control frame ${opcode} of 126 bytes`, () => [{ opcode, payload: 'x'.repeat(126) }], 1002],
    [`5: the control frame ${opcode} in fragments`, () => [{ opcode, payload: 'x', ...cut }], 1002],
    [
      `5: the control frame ${opcode}, marked, amid a compressed message`,
      (client) => [
        { opcode: TEXT, payload: zip(client).subarray(0, 3), ...cut, ...marked },
        { opcode, ...marked },
      ],
      1002,
    ],
  ]),
  // Section 5: fragments.
  ['5: a continuation of nothing', () => [{ opcode: CONTINUATION, payload: 'x' }], 1002],
  [
    '5: a continuation of nothing, marked',
    (client) => [{ opcode: CONTINUATION, payload: zip(client), ...marked }],
    1002,
  ],
  [
    '5: a continuation of nothing behind a compressed message',
    (client) => [
      { opcode: TEXT, payload: zip(client), ...marked },
      { opcode: CONTINUATION, payload: 'x' },
    ],
    1002,
  ],
  [
    '5: a continuation of a compressed message, marked',
    (client) => [
      { opcode: TEXT, payload: zip(client).subarray(0, 3), ...cut, ...marked },
      { opcode: CONTINUATION, payload: zip(client), ...marked },
    ],
    1002,
  ],
  [
    '5: a continuation of a plain message, marked',
    (client) => [
      { opcode: TEXT, payload: 'x', ...cut },
      { opcode: CONTINUATION, payload: zip(client), ...marked },
    ],
    1002,
  ],
  ...[TEXT, BINARY].flatMap((opcode): Offence[] => [
    [
      `5: another message (${opcode}) amid a compressed one`,
      (client) => [
        { opcode: TEXT, payload: zip(client).subarray(0, 3), ...cut, ...marked },
        { opcode, payload: 'x' },
      ],
      1002,
    ],
    [
      `5: a compressed message (${opcode}) amid a plain one`,
      (client) => [
        { opcode: TEXT, payload: 'x', ...cut },
        { opcode, payload: zip(client), ...marked },
      ],
      1002,
    ],
  ]),
  // Section 6: UTF-8, compressed.
  ...[
    'c0af', // overlong
    'e080af',
    'f08080af',
    'eda080', // surrogates
    'edbfbf',
    'f4908080', // beyond Unicode
    'f8888080',
    'fe',
    'ff',
    '80',
    'c3',
    'e282', // cut
    'f09f98',
    '4100c328',
  ].flatMap((hex): Offence[] => [
    [
      `6: ${hex} compressed`,
      (client) => [{ opcode: TEXT, payload: zip(client, Buffer.from(hex, 'hex')), ...marked }],
      1007,
    ],
    [
      `6: ${hex} at the end of a long message in fragments`,
      (client) => {
        const payload = zip(client, Buffer.concat([Buffer.alloc(40_000, 'κόσμε '), Buffer.from(hex, 'hex')]))
        return [
          { opcode: TEXT, payload: payload.subarray(0, 20), ...cut, ...marked },
          { opcode: CONTINUATION, payload: payload.subarray(20, 21), ...cut },
          { opcode: CONTINUATION, payload: payload.subarray(21) },
        ]
      },
      1007,
    ],
  ]),
  // Section 7: Close.
  ...[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535].map(
    (code): Offence => [
      `7: the close code ${code} behind a compressed message`,
      (client) => [
        { opcode: TEXT, payload: zip(client), ...marked },
        { opcode: CLOSE, payload: Buffer.of(code >> 8, code & 255) },
      ],
      1002,
    ],
  ),
  ['7: Close with one byte', () => [{ opcode: CLOSE, payload: 'x' }], 1002],
  [
    '7: a reason that is no UTF-8',
    () => [{ opcode: CLOSE, payload: Buffer.concat([Buffer.of(3, 232), Buffer.of(0xff)]) }],
    1007,
  ],
  // RFC 7692: what is no DEFLATE.
  ['12: noise that is marked', () => [{ opcode: BINARY, payload: Buffer.alloc(40, 0xff), ...marked }], 1007],
  ['12: plain text that is marked', () => [{ opcode: TEXT, payload: 'Hello', ...marked }], 1007],
]
