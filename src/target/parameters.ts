// The parameters of the target's paths: what each of them means, how it is written, and what it may be at most. What the
// documents say of a parameter and what a visitor is told of a wrong one come from here.
import { wholeNumber } from '../checks/kinds.js'
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from '../checks/units.js'
import { mayTravel } from '../protocol/closeCode.js'
import type { Bounds } from './bounds.js'

/** A bound: one of those that whoever runs the target chooses, or a number that the path itself can't pass. */
type Most = keyof Bounds | number

export interface Parameter<Value> {
  readonly about: string
  /** What holds where it is left out. */
  readonly byDefault: Value
  /** The words that follow "must be". */
  words(bounds: Bounds): string
  /** The default, as a person would write it; empty where there is none. */
  readonly shown: string
  /** Undefined for what is no value of this kind, or out of bounds. */
  read(text: string, bounds: Bounds): Value | undefined
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>

/** The values of some parameters, by their names. */
export type ValuesOf<Given extends Parameters> = {
  readonly [Name in keyof Given]: Given[Name] extends Parameter<infer Value> ? Value : never
}

/** How a kind of number is read and written. */
interface Notation {
  words(least: number, most: number): string
  /** Throws a RangeError for what is none. */
  parse(text: string): number
  format(value: number): string
}

function notation(example: string, parse: Notation['parse'], format: Notation['format']): Notation {
  return { parse, format, words: (least, most) => `${example}, from ${format(least)} to ${format(most)}` }
}

const sizes = notation('a size such as 1024 or 16KiB', parseSize, formatSize)
const times = notation('a time such as 50ms or 2s', timeIn, formatDuration)
const counts: Notation = {
  words: (least, most) => wholeNumber(least, most).words,
  parse: (text) => parseCount(text),
  format: String,
}

/** A bare number is milliseconds, as in `/delay?ms=50`. */
function timeIn(text: string): number {
  return /^\d{1,16}$/.test(text) ? Number(text) : parseDuration(text)
}

/** A number that may be left out; `undefined` as the default means "not asked for". */
function quantity<Default extends number | undefined>(
  { words, parse, format }: Notation,
  about: string,
  byDefault: Default,
  most: Most,
  least: number,
): Parameter<number | Default> {
  const bound = (bounds: Bounds): number => (typeof most === 'number' ? most : bounds[most])
  return {
    about,
    byDefault,
    shown: byDefault === undefined ? '' : format(byDefault),
    words: (bounds) => words(least, bound(bounds)),
    read(text, bounds) {
      try {
        const value = parse(text)
        return value >= least && value <= bound(bounds) ? value : undefined
      } catch {
        return undefined
      }
    },
  }
}

export function size<Default extends number | undefined>(
  about: string,
  byDefault: Default,
  most: Most = 'size',
  least = 0,
): Parameter<number | Default> {
  return quantity(sizes, about, byDefault, most, least)
}

export function time<Default extends number | undefined>(
  about: string,
  byDefault: Default,
  most: Most = 'time',
  least = 0,
): Parameter<number | Default> {
  return quantity(times, about, byDefault, most, least)
}

export function count<Default extends number | undefined>(
  about: string,
  byDefault: Default,
  most: Most = 'count',
  least = 0,
): Parameter<number | Default> {
  return quantity(counts, about, byDefault, most, least)
}

/** `?text`, `?text=1`, `?text=true`; and `?text=0` or `?text=false` for no. */
export function flag(about: string): Parameter<boolean> {
  return {
    about,
    byDefault: false,
    shown: '',
    words: () => 'empty, true or false',
    read(text) {
      if (['', '1', 'true'].includes(text)) return true
      return ['0', 'false'].includes(text) ? false : undefined
    },
  }
}

/** A text of at most so many bytes. */
export function text(about: string, byDefault: string, bytes: number): Parameter<string> {
  return {
    about,
    byDefault,
    shown: byDefault,
    words: () => `a text of at most ${bytes} bytes`,
    read: (given) => (Buffer.byteLength(given) > bytes ? undefined : given),
  }
}

/** One of some words. */
export function choice<Word extends string>(about: string, byDefault: Word, words: readonly Word[]): Parameter<Word> {
  return {
    about,
    byDefault,
    shown: byDefault,
    words: () => `one of ${words.join(', ')}`,
    read: (given) => words.find((word) => word === given),
  }
}

/** A close code that may travel in a Close frame. */
export function closeCode(about: string, byDefault: number): Parameter<number> {
  return {
    about,
    byDefault,
    shown: String(byDefault),
    words: () => 'a close code that may travel: 1000 to 1003, 1007 to 1014, or 3000 to 4999',
    read: (given) => (/^\d{4}$/.test(given) && mayTravel(Number(given)) ? Number(given) : undefined),
  }
}

/** A value that a rule of its own must allow. */
export function matching(about: string, byDefault: string, words: string, pattern: RegExp): Parameter<string> {
  return {
    about,
    byDefault,
    shown: byDefault,
    words: () => words,
    read: (given) => (pattern.test(given) ? given : undefined),
  }
}

/**
 * Reads the parameters of a query: their values, or a sentence for the visitor, which names the parameter and its bounds,
 * for one that is wrong, that is given twice, or that the path does not know.
 */
export function readParameters<Given extends Parameters>(
  path: string,
  parameters: Given,
  query: URLSearchParams,
  bounds: Bounds,
): ValuesOf<Given> | string {
  const names = Object.keys(parameters)
  for (const name of query.keys()) {
    if (!names.includes(name)) return `${path} has no parameter ${quoted(name)}: ${known(names)}`
    if (query.getAll(name).length > 1) return `the parameter ${name} of ${path} must be given once`
  }
  const values: Record<string, unknown> = {}
  for (const [name, { byDefault, read, words }] of Object.entries(parameters)) {
    const given = query.get(name)
    values[name] = given === null ? byDefault : read(given, bounds)
    if (given !== null && values[name] === undefined)
      return `the parameter ${name} of ${path} must be ${words(bounds)}, not ${quoted(given)}`
  }
  return values as ValuesOf<Given>
}

const LONGEST_QUOTED = 40

/** What a visitor has written, as far as it is short: an answer must not carry whatever somebody sends. */
function quoted(text: string): string {
  return text.length > LONGEST_QUOTED ? `${JSON.stringify(text.slice(0, LONGEST_QUOTED))}...` : JSON.stringify(text)
}

function known(names: readonly string[]): string {
  return names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
}
