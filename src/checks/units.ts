// Lengths and times as people type them: `64MiB`, `16k`, `500ms`, `10s`.
import { wholeNumber } from './kinds.js'

const KIBI = 1024
const KILO = 1000

/** Bytes in each unit. A letter alone counts in 1024s, as `dd`, `head` and `ls` do. */
const bytesIn: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ...['k', 'm', 'g', 't'].flatMap((letter, index): [string, number][] => [
    [letter, KIBI ** (index + 1)],
    [`${letter}ib`, KIBI ** (index + 1)],
    [`${letter}b`, KILO ** (index + 1)],
  ]),
])

/** Milliseconds in each unit. */
const millisecondsIn: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
])

const QUANTITY = /^(\d{1,16}(?:\.\d{1,16})?) ?([a-z]*)$/i

/** Reads a length in bytes, such as `64MiB`, `64MB`, `16k` or `1024`. Throws a RangeError that says what it takes. */
export function parseSize(text: string): number {
  return parse(text, bytesIn) ?? refuse(text, 'a size such as 1024, 16k, 64KiB or 64MB')
}

/** Reads a time in milliseconds, such as `500ms`, `10s`, `2m` or `0`. Throws a RangeError that says what it takes. */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  return parse(text, millisecondsIn) ?? refuse(text, 'a time such as 500ms, 10s or 2m')
}

/** Reads a whole number from `least` to `most`, which is 2^53 - 1 if it is not given. Throws a RangeError for anything else. */
export function parseCount(text: string, most?: number, least = 0): number {
  const kind = wholeNumber(least, most)
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return kind.within?.(count) === true ? count : refuse(text, kind.words)
}

/** A length in the largest unit that it is a whole number of: 65536 is `64KiB`, 1000 is `1000`. */
export function formatSize(bytes: number): string {
  return format(bytes, [
    ['TiB', KIBI ** 4],
    ['GiB', KIBI ** 3],
    ['MiB', KIBI ** 2],
    ['KiB', KIBI],
    ['', 1],
  ])
}

/** A time in the largest unit that it is a whole number of: 90,000 is `90s`, 1500 is `1500ms`. */
export function formatDuration(milliseconds: number): string {
  return format(milliseconds, [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ])
}

function parse(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, amount, unit] = QUANTITY.exec(text) ?? []
  const factor = units.get((unit ?? '').toLowerCase())
  if (amount === undefined || factor === undefined) return undefined
  const value = Number(amount) * factor
  return Number.isSafeInteger(value) ? value : undefined
}

function format(value: number, units: readonly (readonly [string, number])[]): string {
  const [name, factor] = units.find(([, factor]) => value >= factor && value % factor === 0) ?? ['', 1]
  return `${value / factor}${name}`
}

function refuse(text: string, wanted: string): never {
  throw new RangeError(`${JSON.stringify(text)} is not ${wanted}`)
}
