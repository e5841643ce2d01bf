// A worker thread that is handed tasks as two numbers, an address and a length: the least that any pool does. piscina is
// not a dependency yet; it adds a queue, a promise and its own bookkeeping to what is measured here.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { COUNTER, type PoolSetup, RING, type Task } from './poolWorker.js'

/** How a task reaches the thread; its answer always comes as a message. */
export type Way = 'postMessage' | 'Atomics.notify'

export class Pool {
  readonly #worker: Worker
  readonly #ring = new Int32Array(new SharedArrayBuffer(4 * (1 + 2 * RING)))
  readonly #way: Way
  #handed = 0
  #answered = 0
  #wanted = 0
  #inFlight = 1
  #done: () => void = () => undefined

  constructor(way: Way) {
    this.#way = way
    const workerData: PoolSetup = { ring: way === 'Atomics.notify' ? this.#ring : undefined }
    this.#worker = new Worker(new URL('./poolWorker.js', import.meta.url), { workerData })
    this.#worker.on('message', () => this.#answer())
  }

  /** Resolves when the thread runs, so that its start is in no figure. */
  async ready(): Promise<void> {
    await once(this.#worker, 'online')
    await this.run(1, 1)
  }

  /** Hands over so many tasks, never more than `inFlight` ahead of the answers; resolves with the last answer. */
  run(tasks: number, inFlight: number): Promise<void> {
    this.#handed = this.#answered = 0
    this.#wanted = tasks
    this.#inFlight = Math.min(inFlight, RING)
    const done = new Promise<void>((resolve) => {
      this.#done = resolve
    })
    this.#fill()
    return done
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #fill(): void {
    while (this.#handed < this.#wanted && this.#handed - this.#answered < this.#inFlight) {
      this.#handed++
      if (this.#way === 'postMessage') this.#post()
      else this.#notify()
    }
  }

  #post(): void {
    const task: Task = [this.#handed, 1024]
    this.#worker.postMessage(task)
  }

  #notify(): void {
    const ring = this.#ring
    const at = 1 + 2 * ((ring[COUNTER] ?? 0) & (RING - 1))
    ring[at] = this.#handed
    ring[at + 1] = 1024
    Atomics.add(ring, COUNTER, 1)
    Atomics.notify(ring, COUNTER)
  }

  #answer(): void {
    this.#answered++
    if (this.#answered === this.#wanted) this.#done()
    // One by one, each task gets a turn of the loop: else both threads find the next message before they fall asleep,
    // and what waking them costs, which a single large message pays in full, is in no figure.
    else if (this.#inFlight === 1) setImmediate(() => this.#fill())
    else this.#fill()
  }
}
