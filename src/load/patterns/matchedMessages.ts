// JSON with a number in one of its fields, and how that is found in answers: for servers that answer requests by their ids.
import { callerError } from '../../checks/errors.js'

/** A number that no message has by itself, in whose place those of the messages come. */
const MARK = 7_340_551_206_117_433

/** An object as JSON, with a place for the number: what stands before and behind it. */
export interface Template {
  readonly before: string
  readonly after: string
}

/** A message that `message` gives as JSON, or one of our own that is at least `size` bytes long. Throws a TypeError. */
export function templateOf(field: string, size: number, message: string | undefined): Template {
  const object = message === undefined ? {} : objectIn(message)
  put(object, namesIn(field), MARK)
  const [before = '', after = ''] = JSON.stringify(object).split(String(MARK))
  // Blanks at the end are no part of the value, so the message is as long as it was asked for.
  const missing = message === undefined ? size - Buffer.byteLength(before) - after.length - 1 : 0
  return { before, after: after + ' '.repeat(Math.max(0, missing)) }
}

/** The number in a message; undefined if it has none. */
export function numberWithin(text: string, field: string): number | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined // an error for each message that is no JSON would cost more than the rest
  let value: unknown
  try {
    value = JSON.parse(text)
    for (const name of namesIn(field)) value = member(value, name)
  } catch {
    return undefined
  }
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}

/** `a.b` is the member b of the member a; an element of an array has its index for a name. Throws a TypeError. */
function namesIn(field: string): readonly string[] {
  const names = field.split('.')
  if (names.includes(''))
    throw callerError('ERR_OPTION_KIND', `${JSON.stringify(field)} is not a field such as id or meta.id`)
  return names
}

function objectIn(message: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(message)
  } catch (error) {
    throw callerError('ERR_OPTION_KIND', `the message is not JSON (${error instanceof Error ? error.message : error})`)
  }
  if (!isObject(value) || Array.isArray(value))
    throw callerError('ERR_OPTION_KIND', 'the message is not an object, in which a field can be')
  if (message.includes(String(MARK))) throw callerError('ERR_OPTION_KIND', `the message must not contain ${MARK}`)
  return value
}

function put(object: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: number): void {
  if (rest.length === 0) {
    define(object, name, value)
    return
  }
  const inner = Object.hasOwn(object, name) ? object[name] : undefined
  const next = isObject(inner) ? inner : {}
  define(object, name, next)
  put(next, rest, value)
}

/** Also `__proto__` is a member then. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
