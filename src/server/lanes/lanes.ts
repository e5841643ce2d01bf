// The lanes by which connections come in, and what they share: how many may be amid their handshakes, and what these
// may cost.
import type { IncomingMessage, RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServerParts } from '../../connection/shared.js'
import { report, tell } from '../../internals/report.js'
import { PlainHeads } from '../../protocol/knownHeads.js'
import { socketAround } from '../../transport/handle.js'
import { Arrivals } from '../admission/arrivals.js'
import type { Gate } from '../admission/gate.js'
import type { TrustedProxies } from '../admission/proxies.js'
import { ProxyLine } from '../admission/proxyLine.js'
import { mostDescriptors } from '../descriptors.js'
import type { Lanes } from '../listener.js'
import type { CommonOptions, ServerLimits } from '../options.js'
import { Http2Lane } from './http2Lane.js'
import { HttpLane } from './httpLane.js'
import { RawLane } from './rawLane.js'
import type { Upgraded } from './upgraded.js'

/** Connections that may be amid their handshakes, or used for HTTP. */
const ARRIVALS = 16_384

/** What they may cost together: a part of `payloadMemory`, and so many bytes at least. */
const ARRIVALS_SHARE = 1 / 2
const ARRIVALS_BYTES = 4 * 1024 * 1024

/** The server to which the lanes hand connections. */
export interface Destination {
  readonly gate: Gate
  readonly proxies: TrustedProxies | undefined
  /** Called for each connection that the first lane accepts. */
  arrived(): void
  readonly upgraded: Upgraded
}

export function openLanes(
  options: CommonOptions,
  limits: ServerLimits,
  { slices, deadlines, budget, counts }: ServerParts<unknown>,
  { gate, proxies, arrived, upgraded }: Destination,
): Lanes {
  const { handshakeTimeout, maxConnections, payloadMemory } = limits
  const bytes = Math.max(ARRIVALS_SHARE * payloadMemory, ARRIVALS_BYTES)
  const connections = Math.min(ARRIVALS, Math.floor(mostDescriptors() / 2))
  const arrivals = new Arrivals({ connections, bytes }, budget)
  const { publicApi = false, request = refuseRequest } = options
  const proxyLine = new ProxyLine(deadlines, handshakeTimeout, (address) => proxies?.trusts(address) ?? true)
  const mostSockets = maxConnections + 2 * ARRIVALS // of which those under way to the application are not arrivals
  const shared = { ...limits, slices, deadlines, budget, gate, arrivals, mostSockets, upgraded }
  const web = {
    ...shared,
    counts,
    request,
    requestFailed: (message: IncomingMessage, error: unknown) => requestFailed(options, message, error),
    clientOf: (socket: Duplex) => proxyLine.clientOf(socket),
  }
  const http = new HttpLane({ ...web, publicApi })
  const http2 = new Http2Lane({ ...web, publicApi })
  const raw = new RawLane({
    ...shared,
    heads: new PlainHeads(limits.maxHeaderSize),
    arrived,
    refused: (handle, refusal) => http.refuse(socketAround(handle), refusal),
    handedOver: (handle, read, due) => {
      const socket = socketAround(handle, read)
      if (http.admit(socket)) http.take(socket, due)
    },
  })
  return { raw: publicApi ? undefined : raw, http, http2, proxyLine, deadlines, arrivals, handshakeTimeout }
}

/**
 * What plain HTTP gets where the application has no use for it. There is no Upgrade header: proxies hand it on to clients
 * of HTTP/2, which must not see it.
 */
const refuseRequest: RequestListener = (_, response) => {
  response.writeHead(426, { 'Content-Type': 'text/plain; charset=utf-8' }).end('this is a WebSocket server\n')
}

/** Tells the application that its `request` failed. */
function requestFailed(options: CommonOptions, request: IncomingMessage, error: unknown): void {
  if (options.requestFailed === undefined) report(error)
  else tell(() => options.requestFailed?.(request, error))
}
