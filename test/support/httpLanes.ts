// Both lanes of the opening handshake in memory, without sockets: thousands of requests a second can be compared.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { slicesOfThread } from '../../src/connection/slices.js'
import { Budget } from '../../src/memory/budget.js'
import { Counts } from '../../src/metrics/counts.js'
import { checkUpgrade, type HandshakeRequest } from '../../src/protocol/openingHandshake.js'
import { readRequestHead } from '../../src/protocol/requestHead.js'
import { Arrivals } from '../../src/server/admission/arrivals.js'
import { Census } from '../../src/server/admission/census.js'
import { type AcceptedUpgrade, Endpoint } from '../../src/server/admission/endpoint.js'
import { Gate } from '../../src/server/admission/gate.js'
import { Routes } from '../../src/server/admission/routes.js'
import type { Http2LaneOptions } from '../../src/server/lanes/http2Lane.js'
import { HttpLane, type HttpLaneOptions } from '../../src/server/lanes/httpLane.js'
import { defaultLimits } from '../../src/server/options.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { connections } from './connections.js'

/** A stream that delivers what it is fed, and collects what is written to it. */
export class FedStream extends Duplex {
  readonly written: Buffer[] = []

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk)
    done()
  }

  get output(): string {
    return Buffer.concat(this.written).toString('latin1')
  }
}

/** What a parser made of a request. */
export interface Reading {
  readonly kind: 'upgrade' | 'request' | 'refused' | 'waiting'
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** What followed the head, in Latin-1; only of upgrades. */
  readonly rest?: string
}

/** Headers as node:http read them: nothing is dropped, repeated ones are joined. */
export function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = Object.create(null)
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    headers[name] = name in headers ? `${headers[name]}, ${rawHeaders[at + 1]}` : (rawHeaders[at + 1] ?? '')
  }
  return headers
}

/** How node:http reads these bytes. */
export async function readByNode(bytes: Buffer): Promise<Reading> {
  const server = createServer({ requireHostHeader: false })
  const stream = new FedStream()
  let reading: Reading = { kind: 'waiting' }
  const note = (kind: 'upgrade' | 'request', message: IncomingMessage, rest?: string): void => {
    if (reading.kind !== 'waiting') return
    const { method = '', url: target = '' } = message
    reading = { kind, method, target, headers: headersOf(message), ...(rest === undefined ? {} : { rest }) }
  }
  server.on('upgrade', (message, _, head) => note('upgrade', message, head.toString('latin1')))
  server.on('request', (message) => note('request', message))
  for (const event of ['checkContinue', 'checkExpectation'] as const) server.on(event, (m) => note('request', m))
  server.on('clientError', () => {
    if (reading.kind === 'waiting') reading = { kind: 'refused' }
  })
  stream.on('error', () => undefined)
  server.emit('connection', stream)
  stream.push(bytes)
  await turns()
  stream.destroy()
  return reading
}

/** What became of a request in one lane. */
export interface Outcome {
  readonly upgraded?: Pick<HandshakeRequest, 'target' | 'headers'>
  readonly early?: string
  /** What was answered otherwise, without its date. */
  readonly answer?: string
}

/** What the first lane does: it upgrades, or hands over. */
export function firstLane(bytes: Buffer): Outcome | undefined {
  const head = readRequestHead(bytes.toString('latin1'))
  if (head === undefined || checkUpgrade(head.request) !== undefined) return undefined
  const { target, headers } = head.request
  return { upgraded: { target, headers }, early: bytes.toString('latin1', head.length) }
}

/** A gate that lets in whoever keeps the protocol. */
function openGate(): Gate {
  const { shared } = connections({})
  const rest = new Endpoint({}, defaultLimits, shared)
  const census = new Census(defaultLimits, new Set())
  return new Gate({ census, budget: shared.budget, routes: new Routes({}), rest, proxies: undefined })
}

/** A second lane that lets in whoever keeps the protocol, and tells `upgraded`. */
export function laneOptions(
  upgraded: (accepted: AcceptedUpgrade, early: Buffer) => void,
): HttpLaneOptions & Http2LaneOptions {
  const budget = new Budget(defaultLimits.payloadMemory)
  return {
    slices: slicesOfThread(),
    deadlines: new Deadlines(() => false),
    handshakeTimeout: 60_000,
    closeTimeout: 60_000,
    requestTimeout: 60_000,
    pauseTimeout: 60_000,
    keepAliveTimeout: 60_000,
    pingInterval: 60_000,
    idleTimeout: 60_000,
    maxStreams: 100,
    requestFailed: (_, error) => assert.fail(String(error)),
    request: (_, response) => response.writeHead(418).end(),
    gate: openGate(),
    maxHeaderSize: defaultLimits.maxHeaderSize,
    budget,
    counts: new Counts(),
    arrivals: new Arrivals({ connections: 100, bytes: Infinity }, budget),
    mostSockets: 1,
    publicApi: false,
    clientOf: () => undefined,
    upgraded: (_, accepted, early) => {
      upgraded(accepted, early)
      return undefined
    },
  }
}

/** What the second lane does with bytes that arrive in these pieces. */
export async function secondLane(pieces: readonly Buffer[]): Promise<Outcome> {
  const stream = new FedStream()
  let outcome: Outcome | undefined
  const lane = new HttpLane(
    laneOptions(({ opening: { request } }, early) => {
      outcome = { upgraded: { target: request.target, headers: request.headers }, early: early.toString('latin1') }
    }),
  )
  stream.on('error', () => undefined)
  lane.take(stream as unknown as Socket, 0)
  for (const piece of pieces) {
    if (outcome !== undefined || stream.destroyed) break
    stream.push(piece)
    await turns()
  }
  stream.destroy()
  await lane.close()
  return outcome ?? { answer: stream.output.replace(/^Date: .*\r\n/im, '') }
}

/** Resolves when streams and parsers have had their turns. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
