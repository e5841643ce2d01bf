// Reads a command line into options and words, with messages about millrace; for every command the same way.
import { parseArgs } from 'node:util'
import { optionFor } from '../checks/aliases.js'
import { nearest, sameName } from '../checks/spelling.js'

/** Arguments that can't be understood; the message is for the person who typed them. */
export class UsageError extends Error {}

/** A row of a help text: an option, its default and what it does. */
export type Row = readonly [flag: string, byDefault: string, help: string]

/** The options by name; one that takes no value has an empty one. */
export type ParsedOptions = ReadonlyMap<string, string> & {
  /** How an option was written, where that is not as an argument. */
  sourceOf?(flag: string): string
}

/**
 * The options in `args`: those in `valued` take a value, those in `flags` and `shorts` (by their letter) none. An option that is
 * given again counts as it was given last; `seen` is told of each value.
 */
export function optionsIn(
  args: readonly string[],
  valued: readonly string[],
  flags: readonly string[],
  shorts: Readonly<Record<string, string>>,
  word: (word: string) => void,
  seen: (name: string, value: string) => void = () => undefined,
): ParsedOptions {
  const types = [...valued.map((name) => [name, 'string'] as const), ...flags.map((name) => [name, 'boolean'] as const)]
  const letters = new Map(Object.entries(shorts).map(([letter, name]) => [name, letter]))
  const { tokens } = parseArgs({
    args: [...args],
    strict: false, // the messages of the strict mode are about parseArgs, not about millrace
    tokens: true,
    options: Object.fromEntries(
      types.map(([name, type]) => {
        const short = letters.get(name)
        return [name, short === undefined ? { type } : { type, short }]
      }),
    ),
  })
  const given = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      word(token.value)
      continue
    }
    const { name, rawName, value, inlineValue } = token
    if (valued.includes(name)) {
      given.set(name, valueIn(rawName, value, inlineValue))
      seen(name, value ?? '')
    } else if (!flags.includes(name))
      throw new UsageError(`there is no option ${rawName}${meantBy(name, [...valued, ...flags])}`)
    else if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    else given.set(name, '')
  }
  return given
}

/** Which of the options was meant, if one is near enough. */
function meantBy(name: string, names: readonly string[]): string {
  const alias = optionFor(camel(name))
  const known = names.find((option) => alias !== undefined && sameName(option, alias))
  const meant = known ?? nearest(name, names)
  return meant === undefined ? '' : `: did you mean --${meant}?`
}

function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** In `--port --host x`, the port's value was forgotten: it is not `--host`. */
function valueIn(rawName: string, value: string | undefined, inline: boolean | undefined): string {
  if (value === undefined || value === '' || (inline !== true && value.startsWith('-'))) {
    throw new UsageError(`${rawName} needs a value`)
  }
  return value
}

/** The value of an option, or undefined if it wasn't given. */
export function read<Value>(given: ParsedOptions, flag: string, parse: (text: string) => Value): Value | undefined {
  const text = given.get(flag)
  if (text === undefined) return undefined
  try {
    return parse(text)
  } catch (error) {
    throw new UsageError(`${given.sourceOf?.(flag) ?? `--${flag}`}: ${error instanceof Error ? error.message : error}`)
  }
}

export function table(rows: readonly Row[]): string {
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** The second line of a help text stands below its first. */
function line([flag, byDefault, help]: Row): string {
  return `  ${`--${flag}`.padEnd(21)}${byDefault.padEnd(11)}${help.replaceAll('\n', `\n${''.padEnd(34)}`)}`
}
