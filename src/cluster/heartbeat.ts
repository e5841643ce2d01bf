// Notices acceptors that hang: a process that runs in a circle, or is stopped, still has its connections and its share of new
// ones, and answers nobody.
import type { AcceptorProcess } from './acceptorProcess.js'

/** Milliseconds from one question to the next. */
const INTERVAL = 1000

/** Questions in the time after which an acceptor is given up, at least. */
const FEWEST = 4

interface Silence {
  /** How many reports had come when the silence began. */
  readonly reports: number
  beats: number
}

export class Heartbeat {
  readonly #limit: number
  readonly #interval: number
  readonly #silences = new WeakMap<AcceptorProcess, Silence>()
  #timer: NodeJS.Timeout | undefined

  readonly #log: (line: string) => void

  /** `limit` is the longest silence in milliseconds. */
  constructor(limit: number, log: (line: string) => void) {
    this.#limit = limit
    this.#log = log
    this.#interval = Math.max(1, Math.min(INTERVAL, limit / FEWEST))
  }

  /**
   * Asks the acceptors that listen, again and again, and kills those that have been silent for too long. What counts is how
   * often this process has waited in vain: time in which it could not ask, because it or the machine stood still, is no
   * silence.
   */
  begin(acceptors: () => readonly AcceptorProcess[]): void {
    // A program that somebody debugs stands still where its breakpoints are.
    if (this.#limit === 0 || process.execArgv.some((argument) => argument.startsWith('--inspect'))) return
    this.#timer ??= setInterval(() => {
      for (const acceptor of acceptors()) if (acceptor.listens && this.#beat(acceptor)) this.#end(acceptor)
    }, this.#interval).unref()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #end(acceptor: AcceptorProcess): void {
    this.#log(`millrace: acceptor ${acceptor.pid} has been silent for ${this.#limit} ms: it is killed`)
    acceptor.kill()
  }

  #beat(acceptor: AcceptorProcess): boolean {
    const { reports } = acceptor
    const known = this.#silences.get(acceptor)
    if (known?.reports !== reports) {
      this.#silences.set(acceptor, { reports, beats: 0 })
      acceptor.ask()
      return false
    }
    known.beats++
    const before = (known.beats - 1) * this.#interval
    return before < this.#limit && before + this.#interval >= this.#limit
  }
}
