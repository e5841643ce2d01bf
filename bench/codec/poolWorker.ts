// The other side of pool.ts: answers each task at once, so that what is measured is the hand-over and nothing else.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

/** An address and a length. */
export type Task = readonly [number, number]

/** Tasks that the ring holds; a power of two. */
export const RING = 64
/** The ring's first word: how many tasks were ever handed over. */
export const COUNTER = 0

export interface PoolSetup {
  /** The counter, then addresses and lengths; without it, tasks come as messages. */
  readonly ring: Int32Array | undefined
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort
  const { ring }: PoolSetup = workerData
  if (ring === undefined) port.on('message', ([, length]: Task) => port.postMessage(length))
  else serve(ring, (length) => port.postMessage(length))
}

/** Never returns: a thread that waits on the counter is woken without its event loop. */
function serve(ring: Int32Array, answer: (length: number) => void): never {
  let taken = 0
  for (;;) {
    Atomics.wait(ring, COUNTER, taken)
    while (taken !== Atomics.load(ring, COUNTER)) {
      answer(ring[2 + 2 * (taken & (RING - 1))] ?? 0)
      taken = (taken + 1) | 0
    }
  }
}
