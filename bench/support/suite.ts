// What every suite of benchmarks is: its options, which are also its help text, and one way to write figures as JSON.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { type Machine, machine } from './machine.js'

/** An option of a suite, as `parseArgs` takes it, and its line in the help text. */
export interface Option {
  readonly type: 'boolean' | 'string'
  readonly default?: string
  /** What follows the name in the help text, such as `N`. */
  readonly value?: string
  readonly help: string
}

export type Options = Readonly<Record<string, Option>>

/** What was typed: flags that were left out are false, other options have their default or are empty. */
export interface Choice {
  readonly quick: boolean
  /** The value of an option that is no flag. */
  text(name: string): string
  flag(name: string): boolean
  /** The value of an option that counts something. Throws an Error if it is no number above zero. */
  number(name: string): number
  /** Names separated by commas; all of them if none is given. Throws an Error for a name that is not one of them. */
  names(name: string, all: readonly string[], what?: string): readonly string[]
  /** What is no option, in order. */
  readonly words: readonly string[]
}

/** How long everything is measured. */
export interface Pace {
  readonly rounds: number
  /** Seconds of a round, and before it. */
  readonly seconds: number
  readonly warmup: number
  /** Proves that everything works, with a fraction of the bytes; its figures say nothing. */
  readonly quick: boolean
}

export function paceOf(choice: Choice, warmup: number, quickSeconds = 0.1): Pace {
  const { quick } = choice
  if (quick) return { rounds: 1, seconds: quickSeconds, warmup: 0.05, quick }
  return { rounds: choice.number('rounds'), seconds: choice.number('seconds'), warmup, quick }
}

/** What a suite found. */
export interface Found {
  /** Goes into the JSON file, beside `quick`, `date` and `machine`. */
  readonly figures: object
  /** Whether everything worked, and was as good as it must be. */
  readonly ok: boolean
}

export interface Suite {
  /** What a reader of the help text should know besides the options, in lines. */
  readonly about?: string
  /** Names of the words that must be given. */
  readonly words?: readonly string[]
  readonly options: Options
  /** Measures, and prints. */
  run(choice: Choice, about: Circumstances): Promise<Found>
}

/** Where and when the figures were found: a part of every JSON file. */
export interface Circumstances {
  readonly quick: boolean
  readonly date: string
  readonly machine: Machine
}

const HELP: Options = { help: { type: 'boolean', help: 'prints this' } }

/** Options of every suite that measures. */
export const measuring: Options = {
  quick: { type: 'boolean', help: 'a fraction of everything: proves that it works, measures nothing' },
  json: { type: 'string', value: 'FILE', help: 'writes all figures there' },
}

/** The same of a suite that measures in rounds. */
export function pacing(rounds: number, seconds: number): Options {
  return {
    ...measuring,
    rounds: {
      type: 'string',
      value: 'N',
      default: `${rounds}`,
      help: 'of each figure; the least disturbed one counts',
    },
    seconds: { type: 'string', value: 'N', default: `${seconds}`, help: 'of each round' },
  }
}

/** Runs a suite as it was asked for. Resolves with the exit code. */
export async function runSuite(name: string, suite: Suite, args: readonly string[]): Promise<number> {
  const options = { ...HELP, ...suite.options }
  const choice = choiceOf(options, args)
  if (choice.flag('help')) {
    console.log(helpOf(name, suite, options))
    return 0
  }
  const { words = [] } = suite
  if (choice.words.length !== words.length) {
    throw new Error(`${name} takes ${words.join(' ') || 'options only'}; see --help`)
  }
  const about: Circumstances = { quick: choice.quick, date: new Date().toISOString(), machine: machine() }
  const { figures, ok } = await suite.run(choice, about)
  writeJson(choice.text('json'), { ...about, ...figures })
  return ok ? 0 : 1
}

function choiceOf(options: Options, args: readonly string[]): Choice {
  const specifications = Object.entries(options).map(([name, { type, default: value }]) => {
    const short = name === 'help' ? { short: 'h' } : {}
    return [name, { type, ...short, ...(value !== undefined && { default: value }) }] as const
  })
  const { values, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(specifications),
    allowPositionals: true,
  })
  const text = (name: string): string => String(values[name] ?? '')
  return {
    quick: values['quick'] === true,
    words: positionals,
    text,
    flag: (name) => values[name] === true,
    names(name, all, what = '') {
      const given = text(name) === '' ? all : text(name).split(',')
      const unknown = given.filter((one) => !all.includes(one))
      if (unknown.length > 0) throw new Error(`there is no ${`${what} ${unknown.join(', ')}`.trim()}; see --help`)
      return given
    },
    number(name) {
      const value = Number(text(name))
      if (!(value > 0)) throw new Error(`--${name} must be a number above zero, not "${text(name)}"`)
      return value
    },
  }
}

function helpOf(name: string, { about = '', words = [] }: Suite, options: Options): string {
  const flags = Object.entries(options).map(([option, { value, help, default: usual }]) => ({
    flag: `--${option}${value === undefined ? '' : ` ${value}`}`,
    help: usual === undefined || usual === '' ? help : `${help}. Default ${usual}`,
  }))
  const width = Math.max(...flags.map(({ flag }) => flag.length))
  const lines = flags.map(({ flag, help }) => `  ${flag.padEnd(width)}  ${help}`)
  return [`npm run bench -- ${[name, ...words].join(' ')} [options]`, ...lines, about].join('\n').trimEnd()
}

/** Writes figures where somebody wants them. */
function writeJson(file: string, figures: object): void {
  if (file === '') return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(figures, null, 1)}\n`)
}
