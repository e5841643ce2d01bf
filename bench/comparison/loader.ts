// The load client in a process of its own: runs one load after another as its parent says, and tells when each counts.

import { dial } from '../../src/load/dial.js'
import { type LoadOptions, type LoadResult, load } from '../../src/load/load.js'

/** What the parent asks for. */
export type Order =
  | { readonly kind: 'load'; readonly url: string; readonly options: Omit<LoadOptions, 'url'> }
  | { readonly kind: 'handshakes'; readonly url: string; readonly connections: number }
  | { readonly kind: 'release' }

/** What it hears, in this order; `measured` comes while the connections still live. */
export type Report =
  | { readonly kind: 'measuring' }
  | { readonly kind: 'measured' }
  | { readonly kind: 'result'; readonly result: LoadResult }
  | { readonly kind: 'done'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly reason: string }

const AT_ONCE = 64

let held: { destroy(): void }[] = []

function tell(report: Report): void {
  process.send?.(report)
}

/** Opens connections, and keeps them until they are released. */
async function handshakes(url: URL, connections: number): Promise<void> {
  const started = performance.now()
  let next = 0
  const opener = async (): Promise<void> => {
    while (next++ < connections) {
      const { stream } = await dial(url, false, 30_000)
      stream.on('error', () => undefined).resume()
      held.push(stream)
    }
  }
  tell({ kind: 'measuring' })
  await Promise.all(Array.from({ length: AT_ONCE }, opener))
  tell({ kind: 'done', seconds: (performance.now() - started) / 1000 })
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'handshakes') return handshakes(new URL(order.url), order.connections)
  if (order.kind === 'release') {
    for (const stream of held) stream.destroy()
    held = []
    return tell({ kind: 'done', seconds: 0 })
  }
  const result = await load(
    { ...order.options, url: new URL(order.url) },
    undefined,
    () => tell({ kind: 'measuring' }),
    () => tell({ kind: 'measured' }),
  )
  tell({ kind: 'result', result })
}

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => {
    tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })
  })
})
