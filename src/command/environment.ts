// Options from the environment: each option of the command has a variable, MILLRACE_MAX_MESSAGE for --max-message.
import { type ParsedOptions, UsageError } from './options.js'

/** The variable of an option. */
export function variableOf(flag: string): string {
  return `MILLRACE_${flag.replaceAll('-', '_').toUpperCase()}`
}

/** For a service that is called millrace, Kubernetes sets MILLRACE_PORT to something like this in every pod. */
const OF_KUBERNETES = /^(?:tcp|udp|sctp):\/\//

const YES = ['1', 'true', 'yes']
const NO = ['0', 'false', 'no']

/**
 * The options that the environment gives: those in `valued` with their values, and those in `flags` that are on. A
 * variable that is empty is as if it were absent.
 */
export function optionsFromEnvironment(
  environment: NodeJS.ProcessEnv,
  valued: readonly string[],
  flags: readonly string[],
): ParsedOptions {
  const given = new Map<string, string>()
  for (const flag of valued) {
    const value = environment[variableOf(flag)] ?? ''
    if (value !== '' && !(flag === 'port' && OF_KUBERNETES.test(value))) given.set(flag, value)
  }
  for (const flag of flags) {
    const value = (environment[variableOf(flag)] ?? '').toLowerCase()
    if (YES.includes(value)) given.set(flag, '')
    else if (value !== '' && !NO.includes(value))
      throw new UsageError(`${variableOf(flag)} must be 1 or 0, not ${JSON.stringify(value)}`)
  }
  return given
}

/** What only one of can be said; the arguments of the command go before what the environment says. */
const PLACES = ['port', 'host', 'path']

/** Options of which some came from the environment: an error names the variable then. */
export class MergedOptions extends Map<string, string> {
  readonly #variables: ReadonlySet<string>

  constructor(args: ParsedOptions, environment: ParsedOptions) {
    const placed = PLACES.some((name) => args.has(name) && (name === 'path' || environment.has('path')))
    const used = [...environment].filter(([name]) => !args.has(name) && !(placed && PLACES.includes(name)))
    super([...used, ...args])
    this.#variables = new Set(used.map(([name]) => name))
  }

  /** How the person who gave an option has written it. */
  sourceOf(flag: string): string {
    return this.#variables.has(flag) ? variableOf(flag) : `--${flag}`
  }
}
