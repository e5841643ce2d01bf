// The kinds of values that options may have, each with the words for a message: what is wrong is told where it is given,
// not where it is used first.

/** What an option's value must be. */
export interface Kind {
  /** The words that follow "must be" in an error. */
  readonly words: string
  /** Whether a value is of this kind; if not, that is a TypeError. */
  is(value: unknown): boolean
  /** Whether a value of this kind is within its bounds; if not, that is a RangeError. */
  within?(value: unknown): boolean
  /** What to write instead of a value that is wrong, where that is known. */
  advice?(value: unknown): string | undefined
  /** The options that an object of this kind may have. Other values of this kind have none. */
  readonly members?: Checklist
  /** The value is a secret, or may be: messages do not show it. */
  readonly secret?: boolean
}

/** The options that one function takes, or one member of them. */
export interface Checklist {
  /** Who takes them: "createServer". */
  readonly owner: string
  /** What stands in front of a member's name: "large." */
  readonly prefix: string
  /** How an option is given, for the message to a caller who gave it elsewhere. */
  example(name: string): string
  readonly options: Readonly<Record<string, Kind>>
  /** Unknown names pass, unless they look like one of these: the owner of the table may know more names in later versions. */
  readonly open?: boolean
  /** The object is also `this` of the application's handlers, so it may hold members of the application's own. */
  readonly own?: boolean
}

export const flag: Kind = { words: 'true or false', is: (value) => typeof value === 'boolean' }

export const text: Kind = { words: 'a string', is: (value) => typeof value === 'string' }

export const callback: Kind = { words: 'a function', is: (value) => typeof value === 'function' }

/** A port: its bounds are for node:net to tell. */
export const port: Kind = {
  words: 'a whole number from 0 to 65535',
  is: (value) => typeof value === 'number',
  advice: (value) => (typeof value === 'string' && /^\d+$/.test(value) ? `write ${value}, or Number(...)` : undefined),
}

export function object(words: string, members?: Checklist): Kind {
  const is = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
  return members === undefined ? { words, is } : { words, is, members }
}

/** A whole number; without a `most`, up to 2^53 - 1. Of another kind it is a TypeError, out of bounds a RangeError. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): Kind {
  return {
    words: `a whole number from ${least} to ${most === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : most}`,
    is: (value) => typeof value === 'number',
    within: (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
    advice: (value) =>
      typeof value === 'string' && /^\d+$/.test(value) ? `write ${value}, or Number(...)` : undefined,
  }
}

/** One of some strings. */
export function oneOf(...values: readonly string[]): Kind {
  const quoted = values.map((value) => `'${value}'`)
  return {
    words: quoted.length < 2 ? quoted.join() : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    is: (value) => typeof value === 'string' && values.includes(value),
  }
}

/** Either of two kinds, of which only the second may have members. */
export function either(first: Kind, second: Kind): Kind {
  return {
    ...(second.members === undefined ? {} : { members: second.members }),
    words: `${first.words}, or ${second.words}`,
    is: (value) => first.is(value) || second.is(value),
    within: (value) => (first.is(value) ? (first.within?.(value) ?? true) : (second.within?.(value) ?? true)),
    advice: (value) => first.advice?.(value) ?? second.advice?.(value),
  }
}

/** A list; `wrong` tells what is wrong with an entry, and what to write instead. */
export function listOf(words: string, wrong: (entry: unknown) => string | undefined): Kind {
  return {
    words,
    is: (value) => Array.isArray(value) && value.every((entry) => wrong(entry) === undefined),
    advice(value) {
      if (Array.isArray(value)) return value.map(wrong).find((advice) => advice !== undefined)
      return typeof value === 'string' ? `write [${shown(value)}]` : undefined
    },
  }
}

const LONGEST_SHOWN = 60

/** A value as a message shows it: briefly, and never what is inside an object. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > LONGEST_SHOWN ? 'a long string' : `'${JSON.stringify(value).slice(1, -1)}'`
  }
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'object' || value === null) return String(value)
  const name: unknown = Reflect.get(value, 'constructor')?.name
  if (typeof name !== 'string' || name === '' || name === 'Object') return 'an object'
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}
