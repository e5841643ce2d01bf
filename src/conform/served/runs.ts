// The runs of clients that have come to be tested, and how they go. Strangers begin them, so there are few, for a while.
import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { printable } from '../../protocol/printable.js'
import { type Asked, runAsServer } from '../asServer.js'
import { boundsOf } from '../bounds.js'
import type { Case, Outcome } from '../case.js'
import { cases, selectCases } from '../cases.js'
import { type JsonReport, jsonReport } from '../reports/json.js'
import { outcomeOf } from '../run.js'
import { TIMEOUT } from './timeout.js'

/** Runs that are remembered: a new one takes the place of the oldest. */
const MOST_RUNS = 100
/** Cases that are under way at once, over all runs. */
const MOST_AT_ONCE = 64
/** What a client may call its run. */
const NAME = /^[\w.-]{1,64}$/
const LONGEST_AGENT = 200

/** The cases that clients can be tested with, by their numbers. */
const byId = new Map(selectCases({ side: 'client', heavy: true }).map((one) => [one.id, one]))

interface Run {
  agent: string
  readonly begun: number
  readonly outcomes: Map<string, Outcome>
}

/** A case, as the list of a run has it. */
interface Listed {
  readonly id: string
  /** Where the client connects to, on the same server. */
  readonly path: string
  readonly section: string
  readonly title: string
  readonly rule: string
  readonly level: string
}

export interface RunList {
  readonly run: string
  readonly cases: readonly Listed[]
}

export interface RunVerdict extends JsonReport {
  readonly run: string
  /** The numbers of the cases that were not run. */
  readonly missing: readonly string[]
}

export class Runs {
  readonly #runs = new Map<string, Run>()
  #active = 0

  /** Begins a run, and lists its cases; `base` is the path below which they lie. */
  begin(base: string, only: readonly string[] = []): RunList {
    const run = randomUUID()
    const listed = selectCases({ side: 'client', only }).map(({ id, section, title, rule, level }) => {
      return { id, path: `${base}/${id}?run=${run}`, section, title, rule, level }
    })
    return { run, cases: listed }
  }

  /** Why a case can't be run now, as an HTTP status; undefined if it can. */
  refusal(run: string | null): { readonly status: number; readonly body: string } | undefined {
    if (run !== null && !NAME.test(run)) return { status: 400, body: 'a run is named by up to 64 letters and digits\n' }
    if (this.#active < MOST_AT_ONCE) return undefined
    return { status: 503, body: `this server runs ${MOST_AT_ONCE} cases at once, and not more\n` }
  }

  /** The case of this number, if clients can be tested with it. */
  find(id: string): Case | undefined {
    return byId.get(id)
  }

  /** Runs a case over a stream on which the client waits for the answer to its handshake, and remembers how it went. */
  async conduct(one: Case, run: string | null, asked: Asked, stream: Duplex): Promise<void> {
    this.#active++
    const begun = performance.now()
    const { patience, bounds } = boundsOf(one, { timeout: TIMEOUT })
    try {
      const deviations = await runAsServer(one, asked, stream, patience, bounds)
      if (run === null) return
      const agent = asked.headers['user-agent'] ?? 'a client without a name'
      this.#of(run, agent).outcomes.set(one.id, outcomeOf(one, deviations, performance.now() - begun))
    } finally {
      this.#active--
    }
  }

  /** How a run goes so far; undefined if it is not known. */
  verdict(name: string, strict = false): RunVerdict | undefined {
    const run = this.#runs.get(name)
    if (run === undefined) return undefined
    const outcomes = cases.flatMap(({ id }) => run.outcomes.get(id) ?? [])
    const report = jsonReport({
      subject: run.agent,
      outcomes,
      strict,
      milliseconds: Math.round(performance.now() - run.begun),
    })
    const missing = selectCases({ side: 'client' }).flatMap(({ id }) => (run.outcomes.has(id) ? [] : [id]))
    return { run: name, ...report, missing }
  }

  #of(name: string, agent: string): Run {
    const known = this.#runs.get(name)
    if (known !== undefined) return known
    const [oldest] = this.#runs.keys()
    if (this.#runs.size >= MOST_RUNS && oldest !== undefined) this.#runs.delete(oldest)
    const run = { agent: printable(agent, LONGEST_AGENT), begun: performance.now(), outcomes: new Map() }
    this.#runs.set(name, run)
    return run
  }
}
