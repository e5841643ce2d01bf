// Messages in fragments, and the control frames between them (RFC 6455, sections 5.4 and 5.5).
import { Buffer } from 'node:buffer'
import { OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG } from '../../codec/frames.js'
import type { Bytes, Draft, Frame, Step } from '../case.js'
import {
  alive,
  begin,
  binary,
  binaryBack,
  close,
  closes,
  fails,
  frame,
  group,
  letters,
  more,
  octets,
  pieces,
  ping,
  pong,
  pongs,
  type Row,
  send,
  text,
  textBack,
} from '../vocabulary.js'
import { bytesIn } from '../wire.js'

/** A message in fragments of so many bytes. */
function fragments(payload: Bytes, size: number, isText: boolean): readonly Frame[] {
  const bytes = bytesIn(payload)
  const parts: Frame[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size)
    const isLast = at + size >= bytes.length
    parts.push(at === 0 ? begin(part, isText) : more(part, isLast))
  }
  return parts
}

const SIZES = [1, 2, 125, 126, 127, 4096]

const orders = group(
  { section: '5.4', rule: 'A message may be cut into any number of fragments, and is one message.' },
  [
    ['a text in two fragments', [send(begin('one, '), more('two')), textBack('one, two')]],
    ['a binary message in two fragments', [send(begin('one, ', false), more('two')), binaryBack('one, two')]],
    ['a text in three fragments', [send(begin('1'), more('2', false), more('3')), textBack('123')]],
    ['fragments in writes of their own', [send(begin('1')), send(more('2', false)), send(more('3')), textBack('123')]],
    [
      'fragments, one byte at a time',
      [pieces(1, begin('one'), more('two', false), more('three')), textBack('onetwothree')],
    ],
    ['an empty first fragment', [send(begin(''), more('words')), textBack('words')]],
    ['an empty last fragment', [send(begin('words'), more('')), textBack('words')]],
    ['an empty fragment in the middle', [send(begin('wo'), more('', false), more('rds')), textBack('words')]],
    ['two empty fragments', [send(begin(''), more('')), textBack('')]],
    [
      'five empty fragments',
      [send(begin('', false), ...['', '', ''].map((part) => more(part, false)), more('')), binaryBack('')],
    ],
    ['100 empty fragments around one byte', emptyFragments(100)],
    ...SIZES.map((size): Row => {
      const payload = letters(size * 5 + 1)
      return [`a text in fragments of ${size} bytes`, [send(...fragments(payload, size, true)), textBack(payload)]]
    }),
    ...[65_535, 65_536].map((size): Row => {
      const payload = octets(size * 2 + 1)
      return [
        `a binary message in fragments of ${size} bytes`,
        [sent(() => fragments(payload, size, false)), binaryBack(payload)],
      ]
    }),
    [
      'two messages in fragments in one write',
      [send(begin('a'), more('b'), begin('c', false), more('d')), textBack('ab'), binaryBack('cd')],
    ],
    ['a whole message after one in fragments', [send(begin('a'), more('b'), text('c')), textBack('ab'), textBack('c')]],
    ['ten messages of three fragments each', tenMessages()],
  ],
)

function sent(make: () => readonly Frame[]): Step {
  return send(...make())
}

function emptyFragments(count: number): readonly Step[] {
  const empty = Array.from({ length: count / 2 }, () => more('', false))
  return [send(begin(''), ...empty, more('x', false), ...empty, more('')), textBack('x')]
}

function tenMessages(): readonly Step[] {
  const all = Array.from({ length: 10 }, (_, at) => at)
  const frames = all.flatMap((at) => [begin(`${at}:`), more('middle ', false), more('end')])
  return [send(...frames), ...all.map((at) => textBack(`${at}:middle end`))]
}

const wrong = group(
  {
    section: '5.4',
    rule: 'A continuation needs a message that has begun, and no other message begins before its end.',
  },
  [
    ['a continuation of nothing', [send(more('words')), fails(1002)]],
    ['an empty continuation of nothing', [send(more('')), fails(1002)]],
    ['a continuation of nothing, not the last', [send(more('words', false)), fails(1002)]],
    ['a continuation after a whole message', [...alive, send(more('words')), fails(1002)]],
    [
      'a continuation after a message in fragments',
      [send(begin('a'), more('b')), textBack('ab'), send(more('c')), fails(1002)],
    ],
    ['a continuation after a Ping', [send(ping('p')), pongs('p'), send(more('c')), fails(1002)]],
    ['a text within a text', [send(begin('a'), text('b')), fails(1002)]],
    ['a binary message within a text', [send(begin('a'), binary('b')), fails(1002)]],
    ['a text within a binary message', [send(begin('a', false), text('b')), fails(1002)]],
    ['the beginning of a text within a text', [send(begin('a'), begin('b')), fails(1002)]],
    ['the beginning of a binary message within a text', [send(begin('a'), begin('b', false)), fails(1002)]],
    ['a text within a message whose first fragment is empty', [send(begin(''), text('b')), fails(1002)]],
    ['a text within a message, behind a Ping', [send(begin('a'), ping('p'), text('b')), fails(1002)]],
    ['a text behind two fragments', [send(begin('a'), more('b', false), text('c')), fails(1002)]],
  ],
)

const between = group(
  { section: '5.4', rule: 'Control frames may stand between the fragments of a message, and are dealt with at once.' },
  [
    [
      'a Ping between two fragments',
      [send(begin('a')), send(ping('mid')), pongs('mid'), send(more('b')), textBack('ab')],
    ],
    [
      'a Ping between two fragments in one write',
      [send(begin('a'), ping('mid'), more('b')), pongs('mid'), textBack('ab')],
    ],
    ['an empty Ping between two fragments', [send(begin('a'), ping(), more('b')), pongs(''), textBack('ab')]],
    [
      'a Ping of 125 bytes between two fragments',
      [send(begin('a'), ping(octets(125)), more('b')), pongs(octets(125)), textBack('ab')],
    ],
    ['a Pong between two fragments', [send(begin('a'), pong('mid'), more('b')), textBack('ab')]],
    ['a Ping between all of ten fragments', pingsBetween(10)],
    ['a Ping behind an empty fragment', [send(begin(''), ping('p'), more('b')), pongs('p'), textBack('b')]],
    ['a Close frame between two fragments', [send(begin('a'), close(1000)), closes(1000)]],
    [
      'a Ping within a character in fragments',
      [send(begin(Buffer.of(0xe2, 0x82)), ping('p'), more(Buffer.of(0xac))), pongs('p'), textBack('€')],
    ],
  ],
)

function pingsBetween(count: number): readonly Step[] {
  const parts = Array.from({ length: count }, (_, at) => [ping(`ping ${at}`), more(`${at}`, at === count - 1)])
  return [send(begin('x'), ...parts.flat()), pongs(`ping ${count - 1}`), textBack('x0123456789')]
}

const CONTROL = [
  ['Close frame', OPCODE_CLOSE],
  ['Ping', OPCODE_PING],
  ['Pong', OPCODE_PONG],
] as const

const normal = Buffer.of(3, 232)

const control = group(
  { section: '5.5', rule: 'A control frame has 125 bytes of payload at most, and is not fragmented.' },
  CONTROL.flatMap(([name, opcode]): Row[] => [
    ...[126, 127, 1000, 65_535, 65_536].map((length): Row => {
      const payload = Buffer.concat([normal, Buffer.alloc(length - 2, 'x')])
      return [`a ${name} of ${length} bytes`, [send(frame(opcode, payload)), fails(1002)]]
    }),
    [`a ${name} without FIN`, [send(frame(opcode, normal, { fin: false })), fails(1002)]],
    [`an empty ${name} without FIN`, [send(frame(opcode, '', { fin: false })), fails(1002)]],
    [`a ${name} without FIN between fragments`, [send(begin('a'), frame(opcode, normal, { fin: false })), fails(1002)]],
  ]),
)

const LENGTHS = [0, 1, 2, 4, 64, 124, 125]
const ODD = [
  ['bytes that are no UTF-8', Buffer.of(0xc0, 0x80, 0xff, 0xfe)],
  ['zeros', Buffer.alloc(20)],
  ['bytes of 255', Buffer.alloc(125, 255)],
] as const

const pings = group({ section: '5.5.2', rule: 'A Ping is answered with a Pong of the same payload.' }, [
  ...LENGTHS.map((length): Row => [`a Ping of ${length} bytes`, [send(ping(octets(length))), pongs(octets(length))]]),
  ...ODD.map(([name, payload]): Row => [`a Ping of ${name}`, [send(ping(payload)), pongs(payload)]]),
  ['a Ping, one byte at a time', [pieces(1, ping('slowly')), pongs('slowly')]],
  ['a Ping before a message', [send(ping('p'), text('t')), pongs('p'), textBack('t')]],
  ['a Ping behind a message', [send(text('t'), ping('p')), textBack('t'), pongs('p')]],
  [
    'a Ping behind a message of 1 MiB',
    [send(binary(octets(1 << 20)), ping('p')), pongs('p'), binaryBack(octets(1 << 20))],
  ],
  [
    'ten Pings, each after the Pong of the one before',
    Array.from({ length: 10 }, (_, at) => [send(ping(`${at}`)), pongs(`${at}`)]).flat(),
  ],
  ...[10, 100, 1000].map((count): Row => {
    const all = Array.from({ length: count }, (_, at) => ping(`ping ${at}`))
    const steps = [send(...all), pongs(`ping ${count - 1}`), ...alive]
    // Whoever bounds how many answers may wait ends such a connection, which guards it, and is not strict.
    return [`${count} Pings in one write`, steps, { section: '5.5.3', level: count > 10 ? 'should' : 'must' }]
  }),
])

const unsolicited = group(
  { section: '5.5.3', rule: 'A Pong that nobody has asked for is taken, and is no answer to be waited for.' },
  [
    ['an empty Pong', [send(pong()), ...alive]],
    ['a Pong of 4 bytes', [send(pong('pong')), ...alive]],
    ['a Pong of 125 bytes', [send(pong(octets(125))), ...alive]],
    ['100 Pongs', [send(...Array.from({ length: 100 }, () => pong('pong'))), ...alive]],
    ['a Pong before a Ping', [send(pong('other'), ping('this')), pongs('this'), ...alive]],
  ],
)

export const fragmented: readonly Draft[] = [...orders, ...wrong, ...between, ...control, ...pings, ...unsolicited]
