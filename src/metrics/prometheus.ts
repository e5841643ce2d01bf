// Prometheus' format, by the package prom-client: each metric of the table is an entry of a registry, which the
// application may share with its own.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { everywhere, prometheusOptions } from '../checks/tables.js'
import { packageFor } from '../internals/packages.js'
import { type MetricName, metricNames } from './places.js'
import { type DurationHistogram, type MetricFacts, type Metrics, metricTable } from './table.js'

/** The package is loaded by the first caller, so that an error can say that it is missing. */
const promClient = () => packageFor<typeof import('prom-client')>('millrace/metrics', 'prom-client')

/** A process that serves, as its server reports it. */
interface ServingProcess {
  readonly pid: number
  readonly connections: number
  readonly rss: number
  /** In milliseconds. */
  readonly cpu: number
}

/** A server whose metrics can be exported: a `Server` of millrace. */
export interface MeasuredServer {
  /** Resolves with what the server has counted. */
  metrics(): Promise<Metrics & { readonly processes: readonly ServingProcess[] }>
}

/** A registry of prom-client, as far as it is used here. */
export interface MetricsRegistry {
  /** The value of the header Content-Type for the text. */
  readonly contentType: string
  /** Resolves with the text of all metrics. */
  metrics(): Promise<string>
  /** Adds a metric. Throws an Error for a name that is there already. */
  registerMetric(metric: never): void
}

/** Options of `prometheus`. */
export interface PrometheusOptions<Registry extends MetricsRegistry = MetricsRegistry> {
  /** The registry of prom-client to which the metrics are added. Default: a new one, with these metrics alone. */
  readonly registry?: Registry
}

/** The metrics of a server in Prometheus' format. `prometheus` makes it. */
export interface Prometheus<Registry extends MetricsRegistry = MetricsRegistry> {
  /** The registry in which the metrics are. */
  readonly registry: Registry
  /** Answers an HTTP request with all metrics of the registry. Requests other than GET and HEAD get 405. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}

/**
 * Exports the metrics of a server in Prometheus' format. With acceptors, each process answers with the numbers of all of
 * them. Throws an Error with the code `ERR_PACKAGE_MISSING` if the package `prom-client` is not installed, and an Error
 * of prom-client if the registry has metrics of these names already.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 * import { prometheus } from 'millrace/metrics'
 *
 * const server = createServer({
 *   request(request, response) {
 *     if (request.url === '/metrics') return metrics.handle(request, response)
 *     response.writeHead(404).end()
 *   },
 * })
 * const metrics = prometheus(server)
 * ```
 */
export function prometheus<Registry extends MetricsRegistry = MetricsRegistry>(
  server: MeasuredServer,
  options: PrometheusOptions<Registry> = {},
): Prometheus<Registry> {
  checkOptions(options, prometheusOptions, everywhere)
  const { Registry: OwnRegistry } = promClient()
  if (typeof server?.metrics !== 'function')
    throw callerError('ERR_ARGUMENT_KIND', 'prometheus needs a server of millrace: prometheus(server)')
  const own: MetricsRegistry = new OwnRegistry()
  const registry = options.registry ?? (own as Registry)
  const source = new Source(server)
  for (const name of metricNames) registry.registerMetric(exported(metricTable[name], valuesOf(source, name)))
  for (const [facts, value] of perProcess) registry.registerMetric(exported(facts, processValues(source, value)))
  return { registry, handle: (request, response) => answer(registry, request, response) }
}

async function answer(registry: MetricsRegistry, { method }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return void response.writeHead(405, { Allow: 'GET, HEAD' }).end()
  const text = await registry.metrics()
  const headers = { 'Content-Type': registry.contentType, 'Content-Length': Buffer.byteLength(text) }
  response.writeHead(200, { ...headers, 'Cache-Control': 'no-store' }).end(text)
}

type Measured = Awaited<ReturnType<MeasuredServer['metrics']>>

/** One look at the server for all metrics of an answer. */
class Source {
  readonly #server: MeasuredServer
  #looking: Promise<Measured> | undefined

  constructor(server: MeasuredServer) {
    this.#server = server
  }

  look(): Promise<Measured> {
    this.#looking ??= this.#server.metrics().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }
}

/** A number with its labels, as prom-client writes it. */
interface Value {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Where it differs from the name of the metric. */
  readonly metricName?: string
}

/** What prom-client asks a metric of a registry for. */
function exported({ name, help, kind }: MetricFacts, values: () => Promise<Value[]>): never {
  const metric: unknown = {
    name,
    help,
    type: kind,
    get: async () => ({ name, help, type: kind, values: await values(), aggregator: 'sum' }),
    reset: () => undefined,
  }
  return metric as never // only prom-client has a type for it
}

function valuesOf(source: Source, metric: MetricName): () => Promise<Value[]> {
  const { name, kind, labels } = metricTable[metric]
  return async () => {
    const found = (await source.look())[metric]
    return kind === 'histogram'
      ? histogramValues(name, found as DurationHistogram)
      : flatten(found, Object.keys(labels), {})
  }
}

/** The numbers of a metric with these labels. */
function flatten(found: unknown, [label, ...rest]: readonly string[], labels: Value['labels']): Value[] {
  if (label === undefined) return [{ labels, value: Number(found) }]
  return Object.entries(Object(found)).flatMap(([value, inner]) => flatten(inner, rest, { ...labels, [label]: value }))
}

function histogramValues(name: string, { buckets, count, sum }: DurationHistogram): Value[] {
  const bucket = (le: string, value: number): Value => ({ labels: { le }, value, metricName: `${name}_bucket` })
  return [
    ...buckets.map((one) => bucket(String(one.seconds), one.count)),
    bucket('+Inf', count),
    { labels: {}, value: sum, metricName: `${name}_sum` },
    { labels: {}, value: count, metricName: `${name}_count` },
  ]
}

/** What is told of each process apart, by its id. */
const perProcess: readonly (readonly [MetricFacts, (one: ServingProcess) => number])[] = [
  [processFacts('process_connections', 'gauge', 'Connections of a process.'), ({ connections }) => connections],
  [processFacts('process_resident_memory_bytes', 'gauge', 'Memory that a process holds, in bytes.'), ({ rss }) => rss],
  [processFacts('process_cpu_seconds_total', 'counter', 'CPU time of a process, in seconds.'), ({ cpu }) => cpu / 1000],
]

function processFacts(name: string, kind: MetricFacts['kind'], help: string): MetricFacts {
  return { name: `millrace_${name}`, kind, help, labels: { pid: [] } }
}

/** The names of what is told of each process apart. @internal */
export const processMetrics: readonly MetricFacts[] = perProcess.map(([facts]) => facts)

function processValues(source: Source, value: (one: ServingProcess) => number): () => Promise<Value[]> {
  return async () => {
    const { processes } = await source.look()
    return processes.map((one) => ({ labels: { pid: String(one.pid) }, value: value(one) }))
  }
}
