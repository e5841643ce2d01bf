// What the processes of a load tell each other. Addresses and histograms are written as what can travel between processes.
import { Latencies, type Recorded } from '../latencies.js'
import type { LoadOptions } from '../options.js'
import type { FanOutNews } from '../others.js'
import type { LoadResult } from '../result.js'
import { scriptIn } from '../scriptFile.js'
import type { Interval } from '../timeline.js'

/** To a process of the load: what it is to do, that all others have opened their connections, too, that all have come to the same place, and that it is over. */
export type Order =
  | { readonly load: Wire<LoadOptions, 'url' | 'more'> }
  | 'go'
  | 'together'
  | 'stop'
  /** What another process of a fan-out tells. */
  | { readonly news: FanOutNews }

/** From a process of the load. */
export type Note =
  | 'opened'
  | 'together'
  | { readonly news: FanOutNews }
  | 'measuring'
  | 'measured'
  | { readonly interval: Interval; readonly recorded: Recorded }
  | { readonly result: Wire<LoadResult, Histograms> }
  /** Why it could not load. */
  | { readonly failed: string }

type Histograms = 'latencies' | 'connecting' | 'lateness'

/** The same without the members named, which are sent as something else. */
type Wire<Whole, Names extends keyof Whole> = Omit<Whole, Names> & { readonly [name in Names]: unknown }

export function orderOf(options: LoadOptions): Order {
  const { url, more = [], pattern } = options
  // Functions stay here: each process loads them from their file.
  const sent = pattern?.name === 'script' ? { pattern: { ...pattern, script: {} } } : {}
  return { load: { ...options, ...sent, url: url.href, more: more.map(({ href }) => href) } }
}

/** Rejects with an Error if a script can't be loaded. */
export async function optionsIn({ load }: Extract<Order, { readonly load: unknown }>): Promise<LoadOptions> {
  const more = Array.isArray(load.more) ? load.more.map((href) => new URL(String(href))) : []
  const options = { ...load, url: new URL(String(load.url)), more }
  const { pattern } = options
  if (pattern?.name !== 'script') return options
  return { ...options, pattern: { ...pattern, script: await scriptIn(pattern.file ?? '') } }
}

export function noteOf(result: LoadResult): Note {
  const { latencies, connecting, lateness } = result
  return {
    result: {
      ...result,
      latencies: latencies.recorded,
      connecting: connecting.recorded,
      lateness: lateness.recorded,
    },
  }
}

export function resultIn({ result }: Extract<Note, { readonly result: unknown }>): LoadResult {
  const read = (recorded: unknown): Latencies => {
    const latencies = new Latencies()
    latencies.add(recorded as Recorded)
    return latencies
  }
  const { latencies, connecting, lateness } = result
  return { ...result, latencies: read(latencies), connecting: read(connecting), lateness: read(lateness) }
}
