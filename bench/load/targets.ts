// What autocannon is aimed at: echoes of each length, the HTTP lane, and opening handshakes.
import { performance } from 'node:perf_hooks'
import type { Client, Options } from 'autocannon'
import { heapOfThread } from '../../src/codec/codec.js'
import { encodeBatch, payloadOf } from '../../src/load/payload.js'
import { tiers } from '../support/tiers.js'
import type { Target } from './autocannonRun.js'
import { ECHOED, setupWebSocket, UPGRADED } from './webSocketClient.js'

const CONNECTIONS = 10
/** Longer payloads are about copying, and autocannon would hold many of them. */
const LONGEST = 1024 * 1024
/** Where the status of an HTTP response stands, which short ones bring in one read. */
const STATUS_AT = 'HTTP/1.1 '.length

/** An echo for each length up to 1 MiB. */
export function* echoTargets(url: URL): Generator<Target> {
  for (const { label, length } of tiers) {
    if (length > LONGEST) continue
    const setupClient = setupWebSocket({ url, frame: frameOf(length), length })
    const options = { url: httpOf(url), connections: CONNECTIONS, pipelining: 1, setupClient }
    yield { name: `echo ${label}`, length, status: ECHOED, ignored: UPGRADED, options }
  }
}

/** What does not become a WebSocket: the page, and an upgrade of another version, after which the server hangs up. */
export function httpTargets(url: URL): readonly Target[] {
  const options: Options = { url: httpOf(url), connections: CONNECTIONS }
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '12',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const refused: Options = { ...options, headers, reconnectRate: 1, setupClient: reportAnswers }
  return [
    { name: 'GET /', length: 0, status: 200, options },
    { name: 'refused, 426', length: 0, status: 426, options: refused },
  ]
}

/**
 * A connection for each upgrade, by autocannon's `reconnectRate: 1`. src/load/dial.ts would do too, but node:http costs
 * the client more than the handshake costs the server.
 */
export function handshakeTarget(url: URL): Target {
  const setup = setupWebSocket({ url, frame: frameOf(0), length: 0 })
  const setupClient = (client: Client): void => {
    setup(client)
    reportAnswers(client)
  }
  const options = { url: httpOf(url), connections: CONNECTIONS, pipelining: 1, reconnectRate: 1, setupClient }
  return { name: 'handshake', length: 0, status: UPGRADED, options }
}

/**
 * With `reconnectRate: 1`, autocannon hangs up after each answer, and does so instead of reporting it. This reports it,
 * with the time since the connection began. (Without that option, a server that hangs up leaves a request in
 * autocannon's queue that nobody answers, and all latencies after it are wrong.)
 */
function reportAnswers(client: Client): void {
  const { parser } = client as unknown as { readonly parser: { execute(chunk: Buffer): void } }
  const execute = parser.execute.bind(parser)
  let since = performance.now()
  parser.execute = (chunk) => {
    const milliseconds = performance.now() - since
    const status = Number(chunk.toString('latin1', STATUS_AT, STATUS_AT + 3))
    client.emit('response', status, chunk.length, milliseconds)
    since = performance.now() // the next connection begins in here:
    execute(chunk)
  }
}

function frameOf(length: number): Buffer {
  const heap = heapOfThread()
  const { pointer, length: bytes } = encodeBatch(heap, 'binary', payloadOf('binary', length), 1)
  return Buffer.from(heap.codec.view(pointer, bytes))
}

/** autocannon wants http; the port, host and path are the same. */
function httpOf(url: URL): string {
  const address = new URL(url)
  address.protocol = url.protocol === 'wss:' ? 'https:' : 'http:'
  return address.href
}
