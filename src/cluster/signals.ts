// What signals mean to a server: end gracefully, end now.
import { constants } from 'node:os'

/** One press of Ctrl+C can arrive twice, from the terminal and from npm: within this time, they are one. */
const SAME_SIGNAL = 300

/** Those that a terminal or a service manager sends to every process of a group. */
const toAll = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Reactions {
  stop(): Promise<unknown>
  /** Ends the processes that would outlive this one. */
  kill?(): void
  reload?(): void
}

/**
 * The first SIGINT or SIGTERM calls `stop`, and ends the process when that is done; another one calls `kill` and ends it
 * at once, with the exit code that shells expect. SIGHUP calls `reload`. Returns the function that undoes this.
 */
export function onSignals({ stop, kill, reload }: Reactions): () => void {
  let first: number | undefined
  const end = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const now = performance.now()
    if (first === undefined) {
      first = now
      stop().then(() => process.exit())
    } else if (now - first > SAME_SIGNAL) {
      kill?.()
      process.exit(128 + constants.signals[signal])
    }
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  if (reload !== undefined) process.on('SIGHUP', reload)
  return () => {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
    if (reload !== undefined) process.off('SIGHUP', reload)
  }
}

/** An acceptor obeys its primary, which gets the same signals. */
export function ignoreSignals(): void {
  for (const signal of toAll) process.on(signal, () => undefined)
}
