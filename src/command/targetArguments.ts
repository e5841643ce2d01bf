// The options of the command that say what its target answers, how it ends, and what it writes down.

import { type Bounds, boundQuantities } from '../target/bounds.js'
import { type LogChoice, logFormats, logLevels } from './log.js'
import type { Row } from './options.js'
import { type ParsedOptions, read, UsageError } from './options.js'
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from './units.js'

/** What was asked for; what was not is absent. */
export interface TargetArguments {
  readonly bounds?: Partial<Bounds>
  readonly faults?: true
  readonly admin?: true
  readonly adminPort?: number
  readonly adminHost?: string
  readonly allowCorrupt?: true
  readonly showSecrets?: true
}

/** How it ends when it is told to. Times are in milliseconds. */
export interface StopArguments {
  readonly drainCode?: number
  /** How long `/readyz` answers 503 before nothing more is accepted. */
  readonly drainNotice?: number
}

/** What it writes down. */
export interface LogArguments {
  /** Whether the start and the end are told on standard output as JSON. */
  readonly json?: true
  readonly log?: LogChoice
}

const boundNames = Object.keys(boundQuantities) as (keyof Bounds)[]

export const targetFlags = ['faults', 'admin', 'allow-corrupt', 'show-secrets', 'json', 'log-connections']
export const targetValued = [
  ...boundNames.map((name) => `bound-${name}`),
  'admin-port',
  'admin-host',
  'drain-code',
  'drain-notice',
  'log',
  'log-level',
]

const parsers = { bytes: parseSize, ms: parseDuration, count: (text: string) => parseCount(text) } as const
const formats = { bytes: formatSize, ms: formatDuration, count: String } as const

export function targetArgumentsIn(given: ParsedOptions): TargetArguments {
  const bounds = boundsIn(given)
  const adminHost = given.get('admin-host')
  const adminPort = read(given, 'admin-port', (text) => parseCount(text, 65_535))
  return {
    ...(Object.keys(bounds).length === 0 ? {} : { bounds }),
    ...(given.has('faults') ? { faults: true } : {}),
    ...(given.has('admin') ? { admin: true } : {}),
    ...(adminPort === undefined ? {} : { adminPort }),
    ...(adminHost === undefined ? {} : { adminHost }),
    ...(given.has('allow-corrupt') ? { allowCorrupt: true } : {}),
    ...(given.has('show-secrets') ? { showSecrets: true } : {}),
  }
}

function boundsIn(given: ParsedOptions): Partial<Bounds> {
  const bounds: { -readonly [name in keyof Bounds]?: number } = {}
  for (const name of boundNames) {
    const value = read(given, `bound-${name}`, (text) => bounded(name, parsers[boundQuantities[name].unit](text)))
    if (value !== undefined) bounds[name] = value
  }
  return bounds
}

function bounded(name: keyof Bounds, value: number): number {
  if (value < boundQuantities[name].least) throw new UsageError(`it must be at least ${boundQuantities[name].least}`)
  return value
}

export function stopArgumentsIn(given: ParsedOptions): StopArguments {
  const drainCode = read(given, 'drain-code', (text) => {
    if (text !== '1001' && text !== '1012') throw new UsageError('it is 1001 or 1012')
    return Number(text)
  })
  const drainNotice = read(given, 'drain-notice', parseDuration)
  return {
    ...(drainCode === undefined ? {} : { drainCode }),
    ...(drainNotice === undefined ? {} : { drainNotice }),
  }
}

export function logArgumentsIn(given: ParsedOptions): LogArguments {
  const format = read(given, 'log', (text) => oneOf(logFormats, text))
  const level = read(given, 'log-level', (text) => oneOf(logLevels, text))
  const connections = given.has('log-connections')
  const asked = format !== undefined || level !== undefined || connections
  return {
    ...(given.has('json') ? { json: true } : {}),
    ...(asked ? { log: { format: format ?? 'text', level: level ?? 'info', connections } } : {}),
  }
}

function oneOf<Word extends string>(words: readonly Word[], text: string): Word {
  const found = words.find((word) => word === text)
  if (found === undefined) throw new UsageError(`${JSON.stringify(text)} is none of ${words.join(', ')}`)
  return found
}

export const answerRows: readonly Row[] = [
  ['faults', '', 'paths that push, stall or break answer beyond\nthis machine, too'],
  ['admin', '', 'metrics and dashboard answer there, too'],
  ['admin-port', '', 'a port of their own for these'],
  ['admin-host', '', 'the address of that port; that of --host if it\nis left out'],
  ['allow-corrupt', '', '/corrupt breaks the protocol on purpose'],
  ['show-secrets', '', '/headers shows Cookie and Authorization'],
]

export const boundRows: readonly Row[] = boundNames.map((name) => {
  const { unit, byDefault, help } = boundQuantities[name]
  return [`bound-${name}`, formats[unit](byDefault), help]
})

export const stopRows: readonly Row[] = [
  ['drain-code', '1001', 'close code at the end, or 1012'],
  ['drain-notice', '0', 'how long /readyz answers 503 before nothing\nmore is accepted'],
]

export const logRows: readonly Row[] = [
  ['log', 'text', 'text, or json and pretty with the package pino'],
  ['log-level', 'info', 'the least that is written down'],
  ['log-connections', '', 'a line for each connection'],
  ['json', '', 'start and end as a line of JSON each'],
]
