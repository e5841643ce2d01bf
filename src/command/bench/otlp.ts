// What a load measures, sent while it runs to whoever takes metrics by OTLP, the protocol of OpenTelemetry, whose own exporter writes
// and sends them: it knows the headers, timeouts and retries that its environment variables ask for.
import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { packageFor } from '../../internals/packages.js'
import { Latencies, type Recorded, topOf } from '../../load/latencies.js'
import type { LoadOptions, LoadResult } from '../../load/load.js'
import type { Interval } from '../../load/timeline.js'
import { errorsOf } from './threshold.js'

const PACKAGE = '@opentelemetry/exporter-metrics-otlp-http'
/** Where OTLP over HTTP takes metrics, unless an address has a path. */
const PATH = '/v1/metrics'
/** Milliseconds that one export may take, with its retries; that the last has in any case; and that pass at least between two. */
const TIMEOUT = 5000
const SHORTEST = 1000
const SPACING = 1000
/** The upper ends of the buckets of latencies, in seconds: 10 us, 20 us, 50 us ... 100 s. */
const BOUNDS = Array.from({ length: 22 }, (_, at) => Number(`${[1, 2, 5][at % 3]}e${Math.floor(at / 3) - 5}`))

/** Numbers that the exporter takes, by their names in @opentelemetry/sdk-metrics. */
const CUMULATIVE = 1
const DOUBLE = 1
const HISTOGRAM = 0
const GAUGE = 2
const SUM = 3

/** What is used of the package, of 0.200 and later. */
interface Exporter {
  export(metrics: object, told: (result: { readonly code: number; readonly error?: Error }) => void): void
  shutdown(): Promise<void>
}
interface ExporterModule {
  readonly OTLPMetricExporter: new (options: {
    readonly url: string
    readonly timeoutMillis: number
    readonly httpAgentOptions: () => Agent
  }) => Exporter
}

/** What is known of a load at one time. */
interface State {
  readonly messages: number
  readonly errors: number
  readonly rate: number
  readonly latencies: Latencies
}

export class Otlp {
  readonly #exporter: Exporter
  readonly #url: string
  readonly #agent: Agent
  readonly #load: LoadOptions
  readonly #resource: object
  /** What the intervals have told so far. */
  readonly #latencies = new Latencies()
  #messages = 0
  #began: number | undefined
  #last = 0
  #sending: Promise<string | undefined> | undefined

  /** Throws an Error with the code ERR_PACKAGE_MISSING where the exporter is not installed. */
  constructor(url: URL, load: LoadOptions, version: string) {
    const { OTLPMetricExporter } = packageFor<ExporterModule>('--otlp', PACKAGE)
    this.#url = (url.pathname === '/' ? new URL(PATH, url) : url).href
    this.#agent = url.protocol === 'https:' ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true })
    const httpAgentOptions = (): Agent => this.#agent
    this.#exporter = new OTLPMetricExporter({ url: this.#url, timeoutMillis: TIMEOUT, httpAgentOptions })
    this.#load = load
    const name = process.env['OTEL_SERVICE_NAME'] ?? 'millrace-bench'
    // Each load is a series of its own, because its counters begin at 0.
    const attributes = { 'service.name': name, 'service.version': version, 'service.instance.id': randomUUID() }
    this.#resource = { attributes, asyncAttributesPending: false }
  }

  /** The warm-up is over: counters begin now. */
  begin(): void {
    this.#began = Date.now()
  }

  /** An interval is over. What would be sent before the last has arrived, or within a second of it, goes with the next. */
  interval({ messagesPerSecond, seconds, errors }: Interval, recorded: () => Recorded): void {
    this.#messages += Math.round(messagesPerSecond * seconds)
    this.#latencies.add(recorded())
    const now = performance.now()
    if (this.#sending !== undefined || now - this.#last < SPACING) return
    this.#last = now
    void this.#send({ messages: this.#messages, errors, rate: messagesPerSecond, latencies: this.#latencies })
  }

  /**
   * Sends what the load has come to. Resolves with why it could not be sent, in a sentence; undefined if it was. A receiver that
   * does not answer holds that up for six seconds at most.
   */
  async end(result: LoadResult): Promise<string | undefined> {
    const until = performance.now() + TIMEOUT
    await this.#sending
    const { messages, messagesPerSecond: rate, latencies, seconds } = result
    this.#began ??= Date.now() - seconds * 1000
    const state = { messages, errors: errorsOf(result), rate, latencies }
    const problem = await this.#send(state, Math.max(SHORTEST, until - performance.now()))
    this.abandon()
    return problem && `${new URL(this.#url).host} did not take the metrics of --otlp: ${problem}`
  }

  /** Nothing more is sent, and what is under way is given up: it would keep the process. */
  abandon(): void {
    // The exporter waits in its end for whatever has no answer, so nobody waits for the exporter.
    this.#exporter.shutdown().catch(() => undefined)
    this.#agent.destroy()
  }

  #send(state: State, most = TIMEOUT): Promise<string | undefined> {
    const metrics = {
      resource: this.#resource,
      scopeMetrics: [{ scope: { name: 'millrace' }, metrics: this.#of(state) }],
    }
    let timer: NodeJS.Timeout | undefined
    const sent = new Promise<string | undefined>((resolve) => {
      // The exporter's own timeout begins anew with each byte of an answer.
      timer = setTimeout(resolve, most, `there was no whole answer within ${Math.round(most / 1000)} s`)
      this.#exporter.export(metrics, ({ code, error }) => resolve(code === 0 ? undefined : reasonOf(error)))
    })
      .catch((error: Error) => reasonOf(error))
      .finally(() => {
        clearTimeout(timer)
        this.#sending = undefined
      })
    this.#sending = sent
    return sent
  }

  #of({ messages, errors, rate, latencies }: State): object[] {
    const { connections, url, pattern } = this.#load
    const attributes = {
      'server.address': url.hostname,
      'server.port': Number(url.port || (url.protocol === 'wss:' ? 443 : 80)),
      'millrace.load.pattern': pattern?.name ?? 'echo',
    }
    const [startTime, endTime] = [this.#began ?? Date.now(), Date.now()].map(timeOf)
    const metric = (
      name: string,
      unit: string,
      description: string,
      dataPointType: number,
      value: unknown,
    ): object => ({
      descriptor: { name: `millrace.load.${name}`, unit, description, valueType: DOUBLE },
      aggregationTemporality: CUMULATIVE,
      dataPointType,
      isMonotonic: dataPointType === SUM,
      dataPoints: [{ attributes, startTime, endTime, value }],
    })
    return [
      metric('messages', '{message}', 'Messages that were answered, or what the pattern counts.', SUM, messages),
      metric('errors', '{error}', 'Messages lost, doubled or reordered, and connections refused.', SUM, errors),
      metric('rate', '{message}/s', 'Messages per second of the last interval; in the end, of all.', GAUGE, rate),
      metric('connections', '{connection}', 'Connections that were asked for.', GAUGE, connections),
      metric('latency', 's', 'Latencies, as the report tells them.', HISTOGRAM, histogramOf(latencies)),
    ]
  }
}

function histogramOf(latencies: Latencies): object {
  const counts = Array.from({ length: BOUNDS.length + 1 }, () => 0)
  let bucket = 0
  for (const [step, count] of latencies.steps) {
    while (bucket < BOUNDS.length && topOf(step) > (BOUNDS[bucket] ?? 0) * 1e9) bucket++
    counts[bucket] = (counts[bucket] ?? 0) + count
  }
  const { count, mean, min, max } = latencies
  const all = { count, sum: (mean * count) / 1e9, min: min / 1e9, max: max / 1e9 }
  return { buckets: { boundaries: BOUNDS, counts }, ...all }
}

/** A time as OpenTelemetry writes it. */
function timeOf(milliseconds: number): [seconds: number, nanoseconds: number] {
  return [Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1e6]
}

function reasonOf(error: Error | undefined): string {
  const [line = ''] = (error?.message ?? '').split('\n', 1)
  return line === '' ? 'it was not sent' : line
}
