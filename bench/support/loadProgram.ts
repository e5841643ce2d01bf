// The load client in a process of its own: runs one load after another as its parent says, and tells when each counts.
import { type LoadOptions, type LoadResult, load } from '../../src/load/load.js'
import { dialAll } from './dialAll.js'
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

export interface HandshakeOrder {
  readonly url: string
  readonly connections: number
}

/** What a load tells of itself. The messages of a broadcast are its deliveries; it has no latency. */
export type Loaded = Pick<LoadResult, 'messages' | 'messagesPerSecond'> &
  Partial<Pick<LoadResult, 'latency'>> & { readonly error?: string | undefined }

/** Runs a load. While the connections still live, it tells `measuring`, and then `measured`. */
function running(kind: LoadKind): (order: LoadOrder) => Promise<Loaded> {
  const measuring = (): void => tell('measuring')
  const measured = (): void => tell('measured')
  return ({ url, options }) => loads[kind]({ ...options, url: new URL(url) }, measuring, measured)
}

let held: { destroy(): void }[] = []

/** Opens connections, and keeps them until they are released. Resolves with how many seconds that took. */
async function handshakes({ url, connections }: HandshakeOrder): Promise<number> {
  const started = performance.now()
  await dialAll(new URL(url), connections, ({ stream }) => {
    stream.on('error', () => undefined).resume()
    held.push(stream)
  })
  return (performance.now() - started) / 1000
}

function release(): void {
  for (const stream of held) stream.destroy()
  held = []
}

answer({
  load: running('load'),
  broadcast: running('broadcast'),
  documents: running('documents'),
  volley: running('volley'),
  handshakes,
  release,
})
