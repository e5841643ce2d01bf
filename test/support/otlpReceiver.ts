// Takes metrics by OTLP over HTTP, as JSON, as a collector does.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestContext } from 'node:test'

/** A metric of the last request, by its name. */
export interface Received {
  readonly unit: string
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly Point[] }
  readonly gauge?: { readonly dataPoints: readonly Point[] }
  readonly histogram?: { readonly dataPoints: readonly HistogramPoint[] }
}

interface Point {
  readonly asDouble: number
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
}

interface HistogramPoint extends Omit<Point, 'asDouble'> {
  readonly count: number
  readonly sum: number
  readonly bucketCounts: readonly number[]
  readonly explicitBounds: readonly number[]
}

export class OtlpReceiver {
  readonly url: string
  readonly paths: string[] = []
  /** What each request has told. */
  readonly requests: Map<string, Received>[] = []
  readonly resources: object[] = []

  private constructor(url: string) {
    this.url = url
  }

  static async open(t: TestContext, status = 200): Promise<OtlpReceiver> {
    const server = createServer()
    t.after(() => server.close().closeAllConnections())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const receiver = new OtlpReceiver(`http://127.0.0.1:${Object(server.address()).port}`)
    server.on('request', (request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      request.on('end', () => {
        receiver.paths.push(request.url ?? '')
        if (status === 200) receiver.#take(JSON.parse(body))
        response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
      })
    })
    return receiver
  }

  #take({
    resourceMetrics,
  }: {
    readonly resourceMetrics: readonly { resource: object; scopeMetrics: object[] }[]
  }): void {
    for (const { resource, scopeMetrics } of resourceMetrics) {
      this.resources.push(resource)
      const metrics = scopeMetrics.flatMap((scope) => Object(scope).metrics)
      this.requests.push(new Map(metrics.map(({ name, ...metric }) => [name, metric])))
    }
  }
}
