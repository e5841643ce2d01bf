// What a person wants to have of a load besides the report: verdicts, files, and how it goes meanwhile.
import { type ParsedOptions, UsageError } from '../options.js'
import { parseThreshold, type Threshold } from './threshold.js'

/** Options that take a value. */
export const outputValued: readonly string[] = ['threshold', 'compare', 'html', 'hgrm', 'otlp']

export interface BenchOutput {
  /** One line of JSON instead of the report. */
  readonly json: boolean
  /** Progress, although there is no terminal. */
  readonly progress: boolean
  readonly thresholds: readonly Threshold[]
  /** Names of files. */
  readonly compare?: string
  readonly html?: string
  readonly hgrm?: string
  /** Where to send metrics by OTLP. */
  readonly otlp?: URL
}

export function outputIn(given: ParsedOptions, repeated: ReadonlyMap<string, readonly string[]>): BenchOutput {
  const [compare, html, hgrm] = [given.get('compare'), given.get('html'), given.get('hgrm')]
  const otlp = given.get('otlp')
  return {
    json: given.has('json'),
    progress: given.has('progress'),
    thresholds: (repeated.get('threshold') ?? []).map(parseThreshold),
    ...(compare !== undefined && { compare }),
    ...(html !== undefined && { html }),
    ...(hgrm !== undefined && { hgrm }),
    ...(otlp !== undefined && { otlp: parseCollector(otlp) }),
  }
}

function parseCollector(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  throw new UsageError(`--otlp: ${JSON.stringify(text)} is not an address such as http://127.0.0.1:4318`)
}
