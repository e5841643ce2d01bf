// A line for each connection that comes, and for each that goes, where that was asked for.
import type { VisitWatcher } from '../target/visits.js'
import type { Log } from './log.js'

export class ConnectionLog implements VisitWatcher {
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  opened(path: string, address: string | undefined): void {
    this.#log.info(`a connection from ${address ?? 'a Unix socket'} on ${path}`, { event: 'open', path, address })
  }

  closed(path: string, code: number, reason: string): void {
    // What a peer writes as its reason is quoted: it must not look like a line of ours.
    const because = reason === '' ? '' : ` ${JSON.stringify(reason)}`
    this.#log.info(`a connection on ${path} has ended: ${code}${because}`, { event: 'close', path, code, reason })
  }
}
