// The closing handshake (RFC 6455, sections 5.5.1, 7.1 and 7.4), and limits (section 10.4).
import { Buffer } from 'node:buffer'
import { OPCODE_CLOSE } from '../../codec/frames.js'
import type { Draft } from '../case.js'
import {
  alive,
  begin,
  binary,
  binaryBackOrTooBig,
  close,
  closes,
  fails,
  frame,
  group,
  more,
  octets,
  pieces,
  ping,
  pongs,
  type Row,
  raw,
  send,
  text,
  textBack,
} from '../vocabulary.js'

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]
const OWN = [3000, 3001, 3500, 3999, 4000, 4001, 4500, 4999]
const INVALID = [
  0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1017, 1100, 1999, 2000, 2500, 2999, 5000, 5001, 32_768, 65_535,
]

const codes = [
  ...group(
    {
      section: '7.4.1',
      rule: 'A Close frame with a defined code is answered with one, which usually has the same code.',
    },
    VALID.map((code): Row => [`code ${code}`, [send(close(code)), closes(code)]]),
  ),
  ...group(
    { section: '7.4.2', rule: 'The codes 3000 to 4999 are for libraries and applications, and are valid.' },
    OWN.map((code): Row => [`code ${code}`, [send(close(code)), closes(code)]]),
  ),
  ...group(
    { section: '7.4.2', rule: 'Codes below 1000, reserved ones and those above 4999 are not sent in a Close frame.' },
    INVALID.map((code): Row => [`code ${code}`, [send(close(code)), fails(1002)]]),
  ),
]

const payloads = group(
  {
    section: '5.5.1',
    rule: 'A Close frame is empty, or has a code of two bytes and a reason; it is answered with a Close frame.',
  },
  [
    ['an empty Close frame', [send(close()), closes(1005, 1000)]],
    ['a Close frame of one byte', [send(frame(OPCODE_CLOSE, Buffer.of(3))), fails(1002)]],
    ['a Close frame of one zero', [send(frame(OPCODE_CLOSE, Buffer.of(0))), fails(1002)]],
    ['a reason of one letter', [send(close(1000, 'x')), closes(1000)]],
    ['a reason with characters of all lengths', [send(close(1000, 'κόσμε 水車 🌊')), closes(1000)]],
    ['a reason of 123 bytes', [send(close(1000, 'x'.repeat(123))), closes(1000)]],
    ['a reason of 123 bytes in characters of three', [send(close(1000, '水'.repeat(41))), closes(1000)]],
    ['a reason of 124 bytes', [send(close(1000, 'x'.repeat(124))), fails(1002)]],
    ['a Close frame, one byte at a time', [pieces(1, close(1001, 'slowly')), closes(1001)]],
    ['a Close frame after a message', [...alive, send(close(1000)), closes(1000)]],
    [
      'a Close frame behind a message in one write',
      [send(text('last words'), close(1000)), textBack('last words'), closes(1000)],
      // A client may answer the Close frame before its program has seen the message.
      { level: 'should' },
    ],
    ['a Close frame behind a Ping in one write', [send(ping('p'), close(1000)), pongs('p'), closes(1000)]],
    [
      'a Close frame behind an unfinished message',
      [send(begin('never'), more('ends', false), close(1000)), closes(1000)],
    ],
  ],
)

const after = group({ section: '5.5.1', rule: 'What follows a Close frame is not looked at any more.' }, [
  ['a text behind a Close frame', [send(close(1000), text('too late')), closes(1000)]],
  ['a Ping behind a Close frame', [send(close(1000), ping('too late')), closes(1000)]],
  ['a second Close frame', [send(close(1000), close(1001)), closes(1000)]],
  ['a violation behind a Close frame', [send(close(1000), frame(7)), closes(1000)]],
  ['64 KiB behind a Close frame', [send(close(1000), binary(octets(65_536))), closes(1000)]],
  ['the end of a message behind a Close frame', [send(begin('a'), close(1000), more('b')), closes(1000)]],
])

const ends = group(
  { section: '7.1.1', rule: 'A connection whose TCP connection has ended is closed, whatever stood open.' },
  [
    ['the end of TCP without a Close frame', [...alive, { step: 'finish' }, { step: 'ends' }]],
    ['the end of TCP before any frame', [{ step: 'finish' }, { step: 'ends' }]],
    ['the end of TCP within a header', [raw(Buffer.of(0x82)), { step: 'finish' }, { step: 'ends' }]],
    ['the end of TCP between fragments', [send(begin('never ends')), { step: 'finish' }, { step: 'ends' }]],
    ['the end of TCP behind a Ping', [send(ping('p')), pongs('p'), { step: 'finish' }, { step: 'ends' }]],
    ['TCP cut before any frame', [{ step: 'reset' }]],
    ['TCP cut within a message', [send(begin('never ends')), { step: 'reset' }]],
    ['TCP cut behind a Close frame', [send(close(1000)), { step: 'reset' }]],
  ],
)

const limits = group(
  { section: '10.4', rule: 'A peer may limit messages, and says 1009 of one that is too long for it.' },
  [
    ...[4, 16].map((mebibytes): Row => {
      const payload = octets(mebibytes << 20)
      const steps = [send(binary(payload)), binaryBackOrTooBig(payload)]
      return [`a message of ${mebibytes} MiB`, steps, { heavy: true }]
    }),
    ['1,000 fragments of one byte', manyFragments(1000)],
    ...[
      [1n << 40n, '2^40'],
      [(1n << 53n) - 1n, '2^53 - 1'],
      [1n << 53n, '2^53'],
      [1n << 62n, '2^62'],
      [(1n << 63n) - 1n, '2^63 - 1'],
    ].map(
      ([announced, name]): Row => [
        `a frame that announces ${name} bytes`,
        [
          send(binary('', { form: 64, announced: BigInt(announced ?? 0) })),
          { step: 'failsOrWaits', codes: [1009, 1002] },
        ],
        { level: 'should' },
      ],
    ),
  ],
)

function manyFragments(count: number): Row[1] {
  const parts = Array.from({ length: count - 1 }, (_, at) => more('x', at === count - 2))
  return [send(begin('x', false), ...parts), binaryBackOrTooBig('x'.repeat(count))]
}

export const closings: readonly Draft[] = [...codes, ...payloads, ...after, ...ends, ...limits]
