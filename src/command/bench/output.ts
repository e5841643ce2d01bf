// What a person wants to have of a load besides the report: verdicts, files, and how it goes meanwhile.
import type { ParsedOptions } from '../options.js'
import { parseThreshold, type Threshold } from './threshold.js'

/** Options that take a value. */
export const outputValued: readonly string[] = ['threshold', 'compare', 'html', 'hgrm']

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
}

export function outputIn(given: ParsedOptions, repeated: ReadonlyMap<string, readonly string[]>): BenchOutput {
  const [compare, html, hgrm] = [given.get('compare'), given.get('html'), given.get('hgrm')]
  return {
    json: given.has('json'),
    progress: given.has('progress'),
    thresholds: (repeated.get('threshold') ?? []).map(parseThreshold),
    ...(compare !== undefined && { compare }),
    ...(html !== undefined && { html }),
    ...(hgrm !== undefined && { hgrm }),
  }
}
