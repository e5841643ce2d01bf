// What the command writes down of its own life: one line for each start, stop, crash and reload. As text it needs no
// package; JSON and pretty lines are made by pino.
import { pinoLog } from './pinoLog.js'

export const logFormats = ['text', 'json', 'pretty'] as const
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

export type LogFormat = (typeof logFormats)[number]
export type LogLevel = (typeof logLevels)[number]

export interface LogChoice {
  readonly format: LogFormat
  readonly level: LogLevel
  /** Whether connections are written down. */
  readonly connections: boolean
}

/** What else is known of an event: numbers and words. */
export type LogFacts = Readonly<Record<string, unknown>>

export interface Log {
  info(text: string, facts: LogFacts): void
  warn(text: string, facts: LogFacts): void
  error(text: string, facts: LogFacts): void
}

/** Throws an Error where a package is missing. */
export function openLog({ format, level }: LogChoice): Log {
  if (format !== 'text') return pinoLog(level, format)
  const line = (at: LogLevel) => (text: string) => {
    if (logLevels.indexOf(at) >= logLevels.indexOf(level)) console.error(`millrace: ${text}`)
  }
  return { info: line('info'), warn: line('warn'), error: line('error') }
}
