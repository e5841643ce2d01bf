// The load client in a process of its own: runs one load after another as its parent says, and tells when each counts.
import { type LoadOptions, type LoadResult, load } from '../../src/load/load.js'

import { dialAll } from './dialAll.js'
import { broadcast, documents, volley } from './loads.js'
import { messageOf } from './talk.js'

/** The loads that there are. */
const loads = {
  load: (options: LoadOptions, measuring: () => void, measured: () => void): Promise<Loaded> =>
    load(options, undefined, measuring, measured),
  broadcast,
  documents,
  volley,
}

export type LoadKind = keyof typeof loads

/** What the parent asks for. */
export type Order =
  | { readonly kind: LoadKind; readonly url: string; readonly options: Omit<LoadOptions, 'url'> }
  | { readonly kind: 'handshakes'; readonly url: string; readonly connections: number }
  | { readonly kind: 'release' }

/** What a load tells of itself. The messages of a broadcast are its deliveries; it has no latency. */
export type Loaded = Pick<LoadResult, 'messages' | 'messagesPerSecond'> &
  Partial<Pick<LoadResult, 'latency'>> & { readonly error?: string | undefined }

/** What it hears, in this order; `measured` comes while the connections still live. */
export type Report =
  | { readonly kind: 'measuring' }
  | { readonly kind: 'measured' }
  | { readonly kind: 'result'; readonly result: Loaded }
  | { readonly kind: 'done'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly reason: string }

let held: { destroy(): void }[] = []

function tell(report: Report): void {
  process.send?.(report)
}

/** Opens connections, and keeps them until they are released. */
async function handshakes(url: URL, connections: number): Promise<void> {
  const started = performance.now()
  tell({ kind: 'measuring' })
  await dialAll(url, connections, ({ stream }) => {
    stream.on('error', () => undefined).resume()
    held.push(stream)
  })
  tell({ kind: 'done', seconds: (performance.now() - started) / 1000 })
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'handshakes') return handshakes(new URL(order.url), order.connections)
  if (order.kind === 'release') {
    for (const stream of held) stream.destroy()
    held = []
    return tell({ kind: 'done', seconds: 0 })
  }
  const options = { ...order.options, url: new URL(order.url) }
  const measuring = (): void => tell({ kind: 'measuring' })
  const measured = (): void => tell({ kind: 'measured' })
  tell({ kind: 'result', result: await loads[order.kind](options, measuring, measured) })
}

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => {
    tell({ kind: 'failed', reason: messageOf(error) })
  })
})
