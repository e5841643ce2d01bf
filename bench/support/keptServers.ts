// Servers that stay up from figure to figure, each by a key.
import type { RunningServer } from './process.js'

export class KeptServers {
  readonly #running = new Map<string, Promise<RunningServer>>()

  /** The server of this key, started where it does not run yet. */
  get(key: string, start: () => Promise<RunningServer>): Promise<RunningServer> {
    const running = this.#running.get(key) ?? start()
    this.#running.set(key, running)
    return running
  }

  async stop(): Promise<void> {
    for (const running of this.#running.values()) await running.then((server) => server.stop()).catch(() => undefined)
  }
}
