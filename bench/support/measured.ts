// What a program under measurement answers to its MeasuredServer. It loads nothing else, as that would be measured, too.
import { answer, goes } from './talk.js'

/** For systems that do not tell other processes. */
function usage(): { cpu: number; mainThread: number } {
  const { user, system } = process.cpuUsage()
  return { cpu: user + system, mainThread: 0 }
}

/** Bytes of the process after a garbage collection: what connections hold, not what their opening left behind. */
function resident(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

/** Answers from now on; the program must listen at `address` already. */
export function measured(address: () => unknown): void {
  const port = (): unknown => Object(address()).port ?? 0
  goes('first')
  answer({ port, usage, resident })
}
