// Loads a server by several processes, because one has one core: each has a share of the connections and of the rate. They begin
// together, when all connections are open, and what they measure becomes one result.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type LoadWatch, load } from '../load.js'
import type { LoadOptions } from '../options.js'
import type { LoadResult } from '../result.js'
import type { Interval } from '../timeline.js'
import { mergedInterval, mergedOf, type RecordedInterval } from './merging.js'
import { type Note, type Order, orderOf, resultIn } from './messages.js'
import { sharesOf } from './shares.js'

const PROGRAM = fileURLToPath(new URL('./member.js', import.meta.url))
/** What a process may say on standard error before the rest is dropped, in characters. */
const MOST_SAID = 65_536

/**
 * The same as `load`, by so many processes; one of them loads in this process. Rejects, besides, with an Error if one of the
 * processes ends before the load does.
 */
export async function loadBy(
  processes: number,
  options: LoadOptions,
  signal?: AbortSignal,
  measuring?: () => void,
  measured?: () => void,
  watch: LoadWatch = {},
): Promise<LoadResult> {
  if (processes === 1) return load(options, signal, measuring, measured, watch)
  const crew = new Crew(options, processes, { measuring, measured, interval: watch.interval })
  signal?.addEventListener('abort', crew.stop, { once: true })
  if (signal?.aborted) crew.stop()
  try {
    return await crew.result()
  } finally {
    signal?.removeEventListener('abort', crew.stop)
    crew.end()
  }
}

/** Who is told of what all processes have done. */
interface Told {
  readonly measuring: (() => void) | undefined
  readonly measured: (() => void) | undefined
  readonly interval: LoadWatch['interval']
}

class Crew {
  readonly #options: LoadOptions
  readonly #told: Told
  readonly #members: readonly Member[]
  /** How many have told each of these. */
  readonly #counts = { opened: 0, together: 0, measuring: 0, measured: 0 }
  /** Of each process, its intervals that the others have not told yet. */
  readonly #waiting: RecordedInterval[][]
  readonly #intervals: Interval[] = []

  constructor(options: LoadOptions, processes: number, told: Told) {
    this.#options = options
    this.#told = told
    const noted = (note: Note, member: number): void => this.#noted(note, member)
    this.#members = sharesOf(options, processes).map((share, at) => new Member(share, at, processes, noted))
    this.#waiting = this.#members.map(() => [])
  }

  readonly stop = (): void => {
    for (const member of this.#members) member.tell('stop')
  }

  /** The first that fails ends all others. */
  async result(): Promise<LoadResult> {
    const results = await Promise.all(this.#members.map(({ result }) => result))
    return mergedOf(results, this.#intervals, this.#options)
  }

  end(): void {
    for (const member of this.#members) member.end()
  }

  #noted(note: Note, member: number): void {
    if (typeof note === 'string') return this.#counted(note)
    if ('result' in note && note.result.error !== undefined) this.stop()
    if ('news' in note) return this.#pass(note, member)
    if (!('interval' in note)) return
    this.#waiting[member]?.push(note)
    if (!this.#waiting.every(({ length }) => length > 0)) return
    const { interval, recorded } = mergedInterval(this.#waiting.flatMap((notes) => notes.shift() ?? []))
    this.#intervals.push(interval)
    this.#told.interval?.(interval, () => recorded)
  }

  /** What has arrived is for the first process alone, which sends. */
  #pass(order: Extract<Note & Order, { readonly news: unknown }>, from: number): void {
    const heard = 'arrived' in order.news ? this.#members.slice(0, 1) : this.#members.filter((_, at) => at !== from)
    for (const member of heard) member.tell(order)
  }

  #counted(note: Extract<Note, string>): void {
    const count = ++this.#counts[note]
    const all = count === this.#members.length
    if (note === 'opened' && all) for (const member of this.#members) member.tell('go')
    if (note === 'together' && all) for (const member of this.#members) member.tell('together')
    if (note === 'measuring' && all) this.#told.measuring?.()
    if (note === 'measured' && count === 1) this.#told.measured?.()
  }
}

/** One of the processes. */
class Member {
  readonly result: Promise<LoadResult>
  readonly #child: ChildProcess
  #said = ''

  constructor(share: LoadOptions, at: number, of: number, noted: (note: Note, member: number) => void) {
    const child = fork(PROGRAM, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#said.length < MOST_SAID) this.#said += text
    })
    this.result = new Promise((resolve, reject) => {
      const name = `process ${at + 1} of ${of} of the load`
      child.on('error', ({ message }) => reject(new Error(`${name} can't be run: ${message}`)))
      child.on('message', (note: Note) => {
        noted(note, at)
        if (typeof note === 'object' && 'failed' in note) reject(new Error(note.failed))
        if (typeof note === 'object' && 'result' in note) resolve(resultIn(note))
      })
      child.on('close', (code, killedBy) => {
        reject(new Error(`${name} has ended with ${killedBy ?? code}${this.#reason()}: the load can't go on`))
      })
    })
    this.result.then(
      () => process.stderr.write(this.#said),
      () => undefined,
    )
    this.tell(orderOf(share))
  }

  tell(order: Order): void {
    // One that has ended is told of by its end.
    if (this.#child.connected) this.#child.send(order, () => undefined)
  }

  /** Whatever it still does is not needed any more. */
  end(): void {
    this.#child.kill('SIGKILL')
  }

  /** The error that it has ended with, if it has said so. */
  #reason(): string {
    const [line] = /^\w*Error.*$/m.exec(this.#said) ?? []
    return line === undefined ? '' : ` (${line})`
  }
}
