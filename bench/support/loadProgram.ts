// The load client in a process of its own: runs one load after another as its parent says, and tells when each counts.
import { type LoadOptions, type LoadResult, load } from '../../src/load/load.js'
import { handshakes, release } from './handshakes.js'
import { broadcast, documents, volley } from './loads.js'
import { answer, tell } from './talk.js'

/** The loads that there are. */
const loads = {
  load: (options: LoadOptions, measuring: () => void, measured: () => void): Promise<Loaded> =>
    load(options, undefined, measuring, measured),
  broadcast,
  documents,
  volley,
}

export type LoadKind = keyof typeof loads

export interface LoadOrder {
  readonly url: string
  readonly options: Omit<LoadOptions, 'url'>
}

/** What a load tells of itself. The messages of a broadcast are its deliveries; it has no latency. */
export type Loaded = Pick<LoadResult, 'messages' | 'messagesPerSecond'> &
  Partial<
    Pick<
      LoadResult,
      'latency' | 'negotiated' | 'sentMegabytesPerSecond' | 'receivedMegabytesPerSecond' | 'generator' | 'seconds'
    >
  > & {
    readonly error?: string | undefined
  }

/** Runs a load. While the connections still live, it tells `measuring`, and then `measured`. */
function running(kind: LoadKind): (order: LoadOrder) => Promise<Loaded> {
  const measuring = (): void => tell('measuring')
  const measured = (): void => tell('measured')
  return ({ url, options }) => loads[kind]({ ...options, url: new URL(url) }, measuring, measured)
}

answer({
  load: running('load'),
  broadcast: running('broadcast'),
  documents: running('documents'),
  volley: running('volley'),
  handshakes,
  release,
})
