// Is it UTF-8? millrace's automaton with SIMD against utf-8-validate, Node's own isUtf8 and a loop.
import { Buffer, isUtf8 } from 'node:buffer'
import { codec, type Kind, payload, stored } from './material.js'
import { byTier, type Measured, type Step, way } from './measure.js'
import { plainUtf8, utf8Validate } from './peers.js'

export const validateSteps: readonly Step[] = [stepOf('text', 'ASCII'), stepOf('utf8', 'characters of 1 to 3 bytes')]

function stepOf(kind: Kind, what: string): Step {
  const name = `validate, ${what}`
  const note =
    'Every side gets the text at once and says whether it is valid. millrace can also resume anywhere, and in a ' +
    'connection it skips this for ASCII, because unmasking has seen every byte already.'
  return byTier({ name, operation: 'one text', note }, (length) => validateCase(kind, length))
}

function validateCase(kind: Kind, length: number): Measured {
  const bytes = Buffer.from(payload(kind, length))
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
