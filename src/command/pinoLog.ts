// The log as JSON, by pino.
import { packageFor } from '../internals/packages.js'
import { prettyStream } from './prettyStream.js'

/** What of pino is used. */
type Pino = Pick<typeof import('pino'), 'pino'>

interface Lines {
  info(text: string, facts: Readonly<Record<string, unknown>>): void
  warn(text: string, facts: Readonly<Record<string, unknown>>): void
  error(text: string, facts: Readonly<Record<string, unknown>>): void
}

/** Lines on standard output, written at once: what is said at the end must not be lost. */
export function pinoLog(level: string, format: 'json' | 'pretty'): Lines {
  const { pino } = packageFor<Pino>(`--log ${format}`, 'pino')
  const options = { level, base: { name: 'millrace', pid: process.pid } }
  const logger = pino(options, format === 'pretty' ? prettyStream() : pino.destination({ dest: 1, sync: true }))
  return {
    info: (text, facts) => logger.info(facts, text),
    warn: (text, facts) => logger.warn(facts, text),
    error: (text, facts) => logger.error(facts, text),
  }
}
