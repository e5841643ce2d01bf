// A program of a person's own says what is sent, and what counts: its hooks are called for connections of the client.
import { isThenable, promiseOf } from '../../checks/thenable.js'
import { connect } from '../../client/connect.js'
import type { ClientOptions } from '../../client/options.js'
import { CloseCode } from '../../protocol/closeCode.js'
import { printable } from '../../protocol/printable.js'
import { type Course, type LoadWatch, Measurement, type Moments } from '../course.js'
import type { LoadedConnection, LoadMeter, LoadScript } from '../loadScript.js'
import type { LoadOptions } from '../options.js'
import { keepPace } from '../pace.js'
import type { Pattern } from '../pattern.js'
import type { LoadResult } from '../result.js'
import { record } from '../strategies.js'

type Scripted = Pick<Extract<Pattern, { readonly name: 'script' }>, 'script' | 'part'>

const HANDSHAKES_AT_ONCE = 64
const CLOSE_TIMEOUT = 500

export class ScriptCourse extends Measurement implements Course {
  readonly #options: LoadOptions
  readonly #script: LoadScript
  readonly #open = new Set<LoadedConnection>()
  readonly #meter: LoadMeter
  /** Connections that the script has closed itself. */
  readonly #left = new WeakSet<LoadedConnection>()
  #received = 0
  #ticks = 0
  #failure: unknown
  #turn: Iterator<LoadedConnection> = this.#open.values()
  #over: () => void = () => undefined

  constructor(options: LoadOptions, { script, part }: Scripted, watch: LoadWatch) {
    super(options, watch)
    this.#options = options
    this.#script = script
    const { connections } = options
    this.#meter = {
      answered: (since) => {
        if (this.measuring) record(this.latency, performance.now() - since)
      },
      part: part ?? { process: 0, processes: 1, connections, firstConnection: 0 },
    }
  }

  async open(): Promise<void> {
    const { connections, url, more = [] } = this.#options
    const addresses = [url, ...more]
    let next = 0
    const opener = async (): Promise<void> => {
      while (next < connections && !this.signal.aborted) {
        const address = addresses[next++ % addresses.length] ?? url
        const began = performance.now()
        await connect(address, this.#settings())
        record(this.connecting, performance.now() - began)
      }
    }
    const failed = (error: unknown): void => {
      if (!this.signal.aborted) this.#failure = error
      this.stop()
    }
    const openers = Array.from({ length: Math.min(connections, HANDSHAKES_AT_ONCE) }, () => opener().catch(failed))
    await Promise.all(openers)
    if (this.#failure !== undefined) throw this.#failure
  }

  async measure(moments: Moments): Promise<LoadResult> {
    const seconds = await this.timed(() => this.#tick(), moments)
    const [received, ticks] = [this.#received, this.#ticks]
    // A script may only send: then its ticks are what was measured.
    this.messages = received > 0 ? received : ticks
    const result = this.result(seconds, { counts: { received, ticks } })
    this.measuring = false
    if (this.#failure !== undefined) throw this.#failure
    return result
  }

  async close(): Promise<void> {
    this.stop()
    this.stopped = true
    if (this.#open.size === 0) return
    const closed = new Promise<void>((resolve) => {
      this.#over = resolve
    })
    for (const connection of this.#open) connection.close(CloseCode.normal)
    const timer = setTimeout(() => {
      for (const connection of this.#open) connection.terminate()
    }, CLOSE_TIMEOUT)
    await closed
    clearTimeout(timer)
  }

  #settings(): ClientOptions<Record<string, unknown>> {
    const { reach, http2 = false } = this.#options
    const script = this.#script
    return {
      ...reach,
      http2,
      closeTimeout: CLOSE_TIMEOUT,
      signal: this.signal,
      data: {},
      open: (connection) => {
        this.#open.add(connection)
        return this.#call('open', connection, () => script.open?.(connection, this.#meter))
      },
      message: (connection, message) => {
        if (this.stopped) return undefined
        if (this.measuring) {
          this.messages++
          this.#received++
          this.bytes += message.byteLength
        }
        return this.#call('message', connection, () => script.message?.(connection, message, this.#meter))
      },
      close: (connection, code, reason) => this.#closed(connection, code, reason),
    }
  }

  /** What a hook throws, or its promise rejects with, ends the load. */
  #call(hook: keyof LoadScript, connection: LoadedConnection, run: () => unknown): Promise<void> | undefined {
    try {
      const returned = run()
      this.#look(connection)
      if (!isThenable(returned)) return undefined
      return promiseOf(returned).then(
        () => this.#look(connection),
        (error: unknown) => this.#broke(hook, error),
      )
    } catch (error) {
      this.#broke(hook, error)
      return undefined
    }
  }

  /** Whether the hook has closed the connection. */
  #look(connection: LoadedConnection): void {
    if (!connection.isOpen) this.#left.add(connection)
  }

  #broke(hook: keyof LoadScript, error: unknown): void {
    this.#failure ??= new Error(`the script failed in ${hook}: ${saidBy(error)}`, { cause: error })
    this.stop()
  }

  #closed(connection: LoadedConnection, code: number, reason: string): void {
    this.#open.delete(connection)
    if (this.#open.size === 0) this.#over()
    if (this.stopped || this.signal.aborted) return
    if (!this.#left.has(connection))
      this.failed(`a connection ended with ${[code, printable(reason)].join(' ').trim()}`)
    else if (this.#open.size === 0 && this.connecting.count >= this.#options.connections) this.stop()
  }

  #tick(): void {
    const { rate } = this.#options
    if (rate === 0 || this.#script.tick === undefined) return
    const act = (due: number): void => {
      const connection = this.#next()
      if (connection === undefined) return
      if (this.measuring) this.#ticks++
      void this.#call('tick', connection, () => this.#script.tick?.(connection, this.#meter, due))
    }
    const late = (milliseconds: number): void => this.generator.sentLate(milliseconds)
    keepPace({ dueAt: (n) => (n * 1000) / rate, act, late }, this.signal)
  }

  /** One connection after the other, of those that are open. */
  #next(): LoadedConnection | undefined {
    let { value, done } = this.#turn.next()
    if (done === true) {
      this.#turn = this.#open.values()
      ;({ value, done } = this.#turn.next())
    }
    return done === true ? undefined : value
  }
}

/** The first line of an error. */
function saidBy(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return printable(text.split('\n', 1)[0] ?? '')
}
