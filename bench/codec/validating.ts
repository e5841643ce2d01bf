// Is it UTF-8? millrace's SIMD loops against utf-8-validate, Node's own isUtf8 and a loop.
import { Buffer, isUtf8 } from 'node:buffer'
import { codec, type Kind, payload, stored } from './material.js'
import { byTier, type Measured, type Step, way } from './measure.js'
import { plainUtf8, utf8Validate } from './peers.js'

export const validateSteps: readonly Step[] = [
  stepOf('text', 'ASCII'),
  stepOf('utf8', 'characters of 1 to 3 bytes'),
  oneKindStep(),
]

function stepOf(kind: Kind, what: string): Step {
  const name = `validate, ${what}`
  const note =
    'Every side gets the text at once and says whether it is valid. millrace can also resume anywhere, and in a ' +
    'connection it skips this for ASCII, because unmasking has seen every byte already.'
  return byTier({ name, operation: 'one text', note }, (length) => validateCase(kind, length))
}

/** Text of one kind only, because each has a loop of its own; the column of GB/s compares them. */
function oneKindStep(): Step {
  const units = { ASCII: 'plain text ', 'two-byte': 'мельница', 'three-byte': '水車と水門', 'four-byte': '🚀🌊' }
  return {
    name: 'validate, characters of one kind',
    operation: 'one text',
    note: 'The same, at 1 KiB and 64 KiB of characters that are equally long.',
    *cases() {
      for (const [kind, unit] of Object.entries(units)) {
        for (const length of [1024, 65_536]) {
          // `write` leaves out a character that has no room.
          const bytes = Buffer.alloc(length, ' ')
          bytes.write(unit.repeat(length))
          yield { label: `${kind}, ${length / 1024} KiB`, length, ...caseOf(bytes) }
        }
      }
    },
  }
}

function validateCase(kind: Kind, length: number): Measured {
  return caseOf(Buffer.from(payload(kind, length)))
}

function caseOf(bytes: Buffer): Measured {
  const { length } = bytes
  const pointer = stored(bytes)
  const { call } = codec
  const must = (valid: boolean): void => {
    if (!valid) throw new Error('a valid text is not valid')
  }
  return {
    ways: [
      way('millrace', () => must(call.validate(0, pointer, length) === 0), true),
      way('buffer.isUtf8', () => must(isUtf8(bytes))),
      way('utf-8-validate', () => must(utf8Validate(bytes))),
      way('JavaScript loop', () => must(plainUtf8(bytes))),
    ],
  }
}
