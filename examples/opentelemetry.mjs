// Spans of OpenTelemetry from what millrace tells on diagnostics_channel: one for each connection, with its errors, and
// one for each handshake that is refused. The handlers know nothing of it.
//
//   npm install millrace @opentelemetry/api @opentelemetry/sdk-trace-base
//   node examples/opentelemetry.mjs
//
// It prints the spans. In your application, give your own exporter to the provider instead, or let the SDK for Node.js
// make one: then keep only the part below "Spans".
import { subscribe } from 'node:diagnostics_channel'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, ConsoleSpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createServer } from 'millrace'

trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] }),
)

// Spans.
const tracer = trace.getTracer('millrace')
/** The span of each connection, for as long as there is the connection. */
const spans = new WeakMap()

subscribe('millrace:connection:open', ({ connection, role }) => {
  if (role !== 'server') return
  const { request, protocol, remoteAddress } = connection
  const attributes = { 'url.path': request.path, 'client.address': remoteAddress, 'network.protocol.name': 'websocket' }
  const options = {
    kind: SpanKind.SERVER,
    root: true,
    attributes: { ...attributes, 'websocket.subprotocol': protocol },
  }
  spans.set(connection, tracer.startSpan('websocket connection', options))
})

subscribe('millrace:connection:close', ({ connection, code }) => {
  const span = spans.get(connection)
  span?.setAttribute('websocket.close_code', code)
  span?.end()
})

for (const name of ['millrace:message:error', 'millrace:connection:violation']) {
  subscribe(name, ({ connection, error }) => {
    const span = spans.get(connection)
    span?.recordException(error)
    span?.setStatus({ code: SpanStatusCode.ERROR, message: error?.message })
  })
}

subscribe('millrace:handshake:refused', ({ status, reason, remoteAddress }) => {
  const attributes = { 'http.response.status_code': status, 'client.address': remoteAddress }
  const span = tracer.startSpan('websocket handshake', { kind: SpanKind.SERVER, root: true, attributes })
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: reason })
  span.end()
})

const server = createServer({
  upgrade: ({ path }) => (path === '/private' ? { status: 403, body: 'not here' } : undefined),
  message(connection, message) {
    if (message.text() === 'fail') throw new Error('the application has failed')
    connection.send(message)
  },
  error: () => undefined, // the spans have them
})

await server.listen({ port: Number(process.env.PORT ?? 9001), host: '127.0.0.1' })
console.log(`listening on ws://127.0.0.1:${server.port}`)
