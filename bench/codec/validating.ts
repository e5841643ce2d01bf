// Is it UTF-8? millrace's automaton with SIMD against utf-8-validate, Node's own isUtf8 and a loop.
import { Buffer, isUtf8 } from 'node:buffer'
import { tiers } from '../support/tiers.js'
import { Area, codec, type Kind, payload } from './material.js'
import { type Case, contender, type Suite } from './measure.js'
import { plainUtf8, utf8Validate } from './peers.js'

export const validateSuites: readonly Suite[] = [
  suiteOf('text', 'ASCII'),
  suiteOf('utf8', 'characters of 1 to 3 bytes'),
]

function suiteOf(kind: Kind, what: string): Suite {
  return {
    name: `validate, ${what}`,
    operation: 'one text',
    note:
      'Every side gets the text at once and says whether it is valid. millrace can also resume anywhere, and in a ' +
      'connection it skips this for ASCII, because unmasking has seen every byte already.',
    *cases() {
      for (const tier of tiers) yield validateCase(kind, tier.label, tier.length)
    },
  }
}

function validateCase(kind: Kind, label: string, length: number): Case {
  const bytes = Buffer.from(payload(kind, length))
  const area = Area.of(bytes)
  const { call } = codec
  const must = (valid: boolean): void => {
    if (!valid) throw new Error('a valid text is not valid')
  }
  return {
    label,
    length,
    contenders: [
      contender('millrace', () => must(call.validate(0, area.pointer, length) === 0), true),
      contender('buffer.isUtf8', () => must(isUtf8(bytes))),
      contender('utf-8-validate', () => must(utf8Validate(bytes))),
      contender('JavaScript loop', () => must(plainUtf8(bytes))),
    ],
    free: () => area.free(),
  }
}
