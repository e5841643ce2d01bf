// Headers that an application sets on a response, in the forms in which it may have them.
import { isPlain } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { shown } from '../checks/kinds.js'
import { checkHeaders, type HeaderFields, NO_HEADERS } from './openingHandshake.js'

/**
 * Headers of a response: an object, a Headers, a Map, or a list of pairs. A name with several values is sent in several
 * lines, as Set-Cookie must be. Members of an object that are undefined are left out.
 */
export type ResponseHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [name: string, value: string | readonly string[]]>

/**
 * Reads headers of the application's. Throws a TypeError for what is none, for a name that is not its to set, and for
 * characters that no header may have.
 */
export function readHeaders(given: unknown): HeaderFields {
  if (given === undefined) return NO_HEADERS
  if (typeof given !== 'object' || given === null) throw noHeaders(given)
  const fields = Symbol.iterator in given ? fieldsOf(given as Iterable<unknown>) : objectOf(given)
  checkHeaders(fields)
  return fields
}

function objectOf(given: object): HeaderFields {
  if (!isPlain(given)) throw noHeaders(given)
  const defined = Object.entries(given).filter(([, value]) => value !== undefined)
  // Own properties, whatever their names.
  return Object.fromEntries(defined)
}

/** Pairs by name: those that differ in nothing but case are one. */
function fieldsOf(pairs: Iterable<unknown>): HeaderFields {
  const found = new Map<string, { readonly name: string; readonly values: unknown[] }>()
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') {
      throw callerError(
        'ERR_HEADER',
        `${shown(pair)} is not a header: write each header of a list as a pair, ['Set-Cookie', 'a=1']`,
      )
    }
    const [name, value]: [string, unknown] = [pair[0], pair[1]]
    const field = found.get(name.toLowerCase()) ?? { name, values: [] }
    field.values.push(...[value].flat())
    found.set(name.toLowerCase(), field)
  }
  return Object.fromEntries([...found.values()].map(({ name, values }) => [name, values as readonly string[]]))
}

function noHeaders(given: unknown): Error {
  return callerError(
    'ERR_HEADER',
    `${shown(given)} can't be read as headers: use an object, a Headers, a Map or a list of pairs`,
  )
}
