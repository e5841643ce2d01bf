// Text is UTF-8 (RFC 6455, sections 5.6 and 8.1; RFC 3629): what is valid comes back, whole or cut anywhere, and what is not
// fails the connection.
import { Buffer } from 'node:buffer'
import type { Draft } from '../case.js'
import {
  begin,
  binary,
  binaryBack,
  close,
  fails,
  group,
  more,
  pieces,
  ping,
  pongs,
  type Row,
  send,
  text,
  textBack,
} from '../vocabulary.js'

const bytes = (hexadecimal: string): Buffer => Buffer.from(hexadecimal.replaceAll(' ', ''), 'hex')

/** The first and the last character of each length, and what is often taken for wrong. */
const POINTS = [
  0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd000, 0xd7ff, 0xe000, 0xfdd0, 0xfeff, 0xfffd, 0xfffe, 0xffff,
  0x10000, 0x1fffe, 0x3ffff, 0x40000, 0xfffff, 0x100000, 0x10fffe, 0x10ffff,
]

const PHRASE = 'κόσμε 水車 🌊'

const valid = group(
  { section: '5.6', rule: 'A text is any valid UTF-8, with all characters of Unicode but surrogates.' },
  [
    ...POINTS.map((point): Row => {
      const word = String.fromCodePoint(point)
      return [`U+${point.toString(16).toUpperCase().padStart(4, '0')}`, [send(text(word)), textBack(word)]]
    }),
    ['characters of all lengths', [send(text(PHRASE)), textBack(PHRASE)]],
    ['20,000 characters of four bytes', [send(text('🌊'.repeat(20_000))), textBack('🌊'.repeat(20_000))]],
    ['a byte order mark, which is kept', [send(text('\ufeffwords')), textBack('\ufeffwords')]],
    ['characters of all lengths, one byte at a time', [pieces(1, text(PHRASE)), textBack(PHRASE)]],
    ...[14, 15, 16, 30, 31, 62, 63, 126].map((before): Row => {
      const word = `${'x'.repeat(before)}€🌊`
      return [`characters of three and four bytes behind ${before} letters`, [send(text(word)), textBack(word)]]
    }),
  ],
)

const cut = group(
  { section: '5.6', rule: 'A fragment may end within a character: only the whole text must be valid UTF-8.' },
  [
    ...Array.from({ length: Buffer.byteLength(PHRASE) - 1 }, (_, at): Row => {
      const whole = Buffer.from(PHRASE)
      const steps = [send(begin(whole.subarray(0, at + 1)), more(whole.subarray(at + 1))), textBack(whole)]
      return [`fragments cut behind byte ${at + 1} of ${whole.length}`, steps]
    }),
    ['each byte a fragment', [send(...byteFragments(Buffer.from(PHRASE))), textBack(PHRASE)]],
    [
      'an empty fragment within a character',
      [send(begin(bytes('f09f')), more('', false), more(bytes('8c8a'))), textBack('🌊')],
    ],
  ],
)

function byteFragments(whole: Buffer): ReturnType<typeof more>[] {
  return Array.from(whole, (byte, at) =>
    at === 0 ? begin(Buffer.of(byte)) : more(Buffer.of(byte), at === whole.length - 1),
  )
}

const INVALID: readonly (readonly [name: string, hexadecimal: string])[] = [
  ['a continuation byte alone (80)', '80'],
  ['the last continuation byte alone (BF)', 'bf'],
  ['two continuation bytes', '80 bf'],
  ['seven continuation bytes', '80 bf 80 bf 80 bf 80'],
  ['U+0000 in two bytes', 'c0 80'],
  ['U+002F in two bytes', 'c0 af'],
  ['U+007F in two bytes', 'c1 bf'],
  ['U+002F in three bytes', 'e0 80 af'],
  ['U+07FF in three bytes', 'e0 9f bf'],
  ['U+0000 in four bytes', 'f0 80 80 80'],
  ['U+FFFF in four bytes', 'f0 8f bf bf'],
  ['U+002F in five bytes', 'f8 80 80 80 af'],
  ['U+002F in six bytes', 'fc 80 80 80 80 af'],
  ['the surrogate U+D800', 'ed a0 80'],
  ['the surrogate U+DB7F', 'ed ad bf'],
  ['the surrogate U+DC00', 'ed b0 80'],
  ['the surrogate U+DFFF', 'ed bf bf'],
  ['a pair of surrogates', 'ed a0 80 ed b0 80'],
  ['U+110000', 'f4 90 80 80'],
  ['U+13FFFF', 'f4 bf bf bf'],
  ['U+140000', 'f5 80 80 80'],
  ['five bytes', 'f8 88 80 80 80'],
  ['six bytes', 'fc 84 80 80 80 80'],
  ['the byte FE', 'fe'],
  ['the byte FF', 'ff'],
  ['a character of two bytes without its last', 'c3'],
  ['a character of three bytes without its last', 'e2 82'],
  ['a character of three bytes without its last two', 'e2'],
  ['a character of four bytes without its last', 'f0 9f 8c'],
  ['a character of four bytes without its last three', 'f0'],
  ['a letter within a character of two bytes', 'c3 41'],
  ['a letter within a character of three bytes', 'e2 82 41'],
  ['a letter within a character of four bytes', 'f0 9f 8c 41'],
  ['a character within another', 'e2 82 c3 a9'],
  ['one continuation byte too many', 'c3 a9 a9'],
]

const RULE = 'Whoever gets a text that is not valid UTF-8 fails the connection, with 1007.'

const invalid = group({ section: '8.1', rule: RULE }, [
  ...INVALID.map(([name, hexadecimal]): Row => [name, [send(text(bytes(hexadecimal))), fails(1007)]]),
  ...[15, 31, 63, 200, 70_000].map((before): Row => {
    const wrong = Buffer.concat([Buffer.alloc(before, 'x'), bytes('c0af'), Buffer.alloc(40, 'y')])
    return [`a wrong byte behind ${before} letters`, [send(text(wrong)), fails(1007)]]
  }),
  [
    'a wrong byte at the end of 1 MiB',
    [send(text(() => Buffer.concat([Buffer.alloc(1 << 20, 'x'), bytes('ff')]))), fails(1007)],
  ],
  ['a wrong byte, one byte at a time', [pieces(1, text(bytes('6f6b ff 6f6b'))), fails(1007)]],
  [
    'a wrong byte in the second message',
    [send(text('first')), textBack('first'), send(text(bytes('ff'))), fails(1007)],
  ],
  ['a wrong byte in the last fragment', [send(begin('ok'), more(bytes('ff'))), fails(1007)]],
  ['a wrong byte in the first fragment, and its end', [send(begin(bytes('ff')), more('ok')), fails(1007)]],
  ['a character that the last fragment leaves unfinished', [send(begin('ok'), more(bytes('e282'))), fails(1007)]],
  ['a character that goes on wrongly in the next fragment', [send(begin(bytes('e282')), more('A')), fails(1007)]],
  ['a surrogate over two fragments', [send(begin(bytes('ed')), more(bytes('a080'))), fails(1007)]],
  ['an unfinished character, and an empty fragment', [send(begin(bytes('f09f')), more('')), fails(1007)]],
  [
    'a wrong byte behind a Ping between fragments',
    [send(begin('ok'), ping('p')), pongs('p'), send(more(bytes('80'))), fails(1007)],
  ],
])

const early = group({ section: '8.1', rule: `${RULE} It need not wait for the end of the message.`, level: 'should' }, [
  ['a wrong byte in the first fragment of an unfinished message', [send(begin(bytes('6f6b ff'))), fails(1007)]],
  ['a surrogate in the first fragment of an unfinished message', [send(begin(bytes('ed a0 80'))), fails(1007)]],
  ['U+110000 in the first fragment of an unfinished message', [send(begin(bytes('f4 90'))), fails(1007)]],
  [
    'a wrong byte in the second fragment of an unfinished message',
    [send(begin('ok'), more(bytes('c080'), false)), fails(1007)],
  ],
  ['a wrong byte in an unfinished character', [send(begin(bytes('e2')), more(bytes('41'), false)), fails(1007)]],
])

const elsewhere = group({ section: '5.6', rule: 'Binary messages and Pings carry any bytes.' }, [
  ...['ff', 'c0 80', 'ed a0 80'].map(
    (wrong): Row => [
      `${wrong.toUpperCase()} in a binary message`,
      [send(binary(bytes(wrong))), binaryBack(bytes(wrong))],
    ],
  ),
  [
    'FF in fragments of a binary message',
    [send(begin(bytes('ff'), false), more(bytes('fe'))), binaryBack(bytes('ff fe'))],
  ],
  ['FF in a Ping', [send(ping(bytes('ff'))), pongs(bytes('ff'))]],
])

const reasons = group(
  { section: '5.5.1', rule: 'The reason in a Close frame is UTF-8.' },
  (
    [
      ['the byte FF', 'ff'],
      ['a character that is cut', 'e2 82'],
      ['U+002F in two bytes', 'c0 af'],
      ['a surrogate', 'ed a0 80'],
      ['U+110000', 'f4 90 80 80'],
      ['a wrong byte behind letters', '6f 6b 20 80'],
    ] as const
  ).map(([name, wrong]): Row => [`a reason with ${name}`, [send(close(1000, bytes(wrong))), fails(1007, 1002)]]),
)

export const texts: readonly Draft[] = [...valid, ...cut, ...invalid, ...early, ...elsewhere, ...reasons]
