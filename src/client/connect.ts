// A client's connection: the same Peer as a server's, in the other role. What is the client's own is how it begins.
import { Buffer } from 'node:buffer'
import { checkOptions } from '../checks/check.js'
import { clientOptions } from '../checks/clientTables.js'
import { callerError } from '../checks/errors.js'
import { everywhere } from '../checks/tables.js'
import type { Connection } from '../connection/connection.js'
import type { Handlers } from '../connection/handlers.js'
import { Peer } from '../connection/peer.js'
import { Reason } from '../connection/reason.js'
import { traced } from '../connection/trace.js'
import { runOutside } from '../internals/context.js'
import { PlainHeads } from '../protocol/knownHeads.js'
import type { HandshakeRequest } from '../protocol/openingHandshake.js'
import { requestInternals, type Source, UpgradeRequest } from '../protocol/upgradeRequest.js'
import { transportAlone } from '../transport/adopt.js'
import { readAddress, shownAddress } from './address.js'
import { Attempt } from './attempt.js'
import type { Answer } from './call.js'
import { type ClientContext, contextFor } from './clientContext.js'
import { connectError, LONGEST_HEAD } from './connectError.js'
import { dial } from './dial.js'
import { type ClientOptions, clientLimits } from './options.js'
import { readProxy } from './proxy.js'
import { LastingConnection, type Opener } from './reconnecting.js'
import { checkRequest } from './requestHeaders.js'

/**
 * Opens a connection to a WebSocket server. The promise resolves when the connection is open, after the `open` handler
 * has been called and before any message is delivered. It rejects with an Error whose `code` begins with ERR_CONNECT_ if
 * the server can't be reached or does not open a connection, with the reason of `signal` if that is aborted, and with a
 * TypeError or RangeError for an address or an option that is wrong.
 * @example
 * ```js
 * import { connect } from 'millrace/client'
 *
 * const connection = await connect('ws://127.0.0.1:9001', {
 *   message(connection, message) {
 *     console.log(message.text())
 *     connection.close()
 *   },
 * })
 * connection.send('hello')
 * ```
 */
export async function connect<Data = undefined>(
  url: string | URL,
  options: ClientOptions<Data> = {},
): Promise<Connection<Data>> {
  checkOptions(options, clientOptions, everywhere)
  checkRequest(options)
  if (options.http2 !== undefined && options.http2 !== false && options.proxy !== undefined)
    throw callerError('ERR_OPTION_CONFLICT', 'http2 does not go through a proxy: leave http2 or proxy out')
  const address = readAddress(url)
  const { reconnect = false } = options
  if (reconnect === false) return open(address, options, options)
  const opener: Opener<Data> = ({ handlers, data, signal }) =>
    open(address, { ...options, data, ...(signal && { signal }) }, handlers)
  return LastingConnection.open(options, reconnect, opener)
}

/** Opens one connection to a server whose address is known, for these handlers. */
export async function open<Data>(
  url: URL,
  options: ClientOptions<Data>,
  handlers: Handlers<Data>,
): Promise<Connection<Data>> {
  const { handshakeTimeout } = clientLimits(options)
  const attempt = new Attempt(shownAddress(url), handshakeTimeout, options.signal)
  try {
    const context = contextFor(options, handlers)
    const proxy = options.proxy === undefined ? undefined : readProxy(options.proxy)
    const wish = { url, options, extensions: context.agreements?.offer, proxy }
    const dialled = dial(wish, attempt, (answer) => enter(answer, context, options, attempt))
    return await Promise.race([dialled, attempt.givenUp])
  } finally {
    attempt.finish()
  }
}

/** The handshake is done: from here on, it is a connection like a server's. */
function enter<Data>(
  answer: Answer,
  { shared, agreements }: ClientContext<Data>,
  options: ClientOptions<Data>,
  attempt: Attempt,
): Connection<Data> {
  const { response, stream, early, request } = answer
  const { 'sec-websocket-extensions': extensions, 'sec-websocket-protocol': protocol = '' } = response.headers
  const deflate = extensions === undefined ? undefined : agreements?.accept(extensions)
  if (extensions !== undefined && deflate === undefined) {
    const problem = `answered with an extension that was not asked for: ${extensions}`
    throw connectError('ERR_CONNECT_ANSWER', answer.address, problem, { response })
  }
  options.upgrade?.(response)
  attempt.signal.throwIfAborted() // by `upgrade`
  attempt.finish() // what the `open` handler aborts is no attempt any more
  const transport = traced(answer.transport?.(options.publicApi) ?? transportAlone(stream, options.publicApi))
  // The option may be left out only where the data may be undefined.
  const data = options.data as Data
  const opening = { request: requestOf(request), data, protocol, deflate }
  const peer = new Peer(shared, transport, opening)
  peer.start(early, () => peer.pressure.pause(Reason.opening))
  requestInternals.settle(opening.request)
  // Whoever waits for `connect` must have had the connection, and one turn to listen, before the first message.
  setImmediate(() => setImmediate(() => runOutside(() => peer.pressure.resumeNow(Reason.opening))))
  return peer.connection
}

const plain: Source = { remoteAddress: undefined, secure: false, told: false }
const secure: Source = { ...plain, secure: true }

/** The heads of this thread's requests: those to one server are alike, but for the key, which alone is kept. */
const heads = new PlainHeads(LONGEST_HEAD)

/** The request as `connection.request` shows it. Only its text is kept. */
function requestOf(request: Answer['request']): UpgradeRequest {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(request.getHeaders())) {
    headers[name] = Array.isArray(value) ? value.join(', ') : String(value)
  }
  const head: HandshakeRequest = { method: 'GET', target: request.path, httpVersion: '1.1', headers, repeated: [] }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  // As bytes, and back from there: a string that was put together keeps all that it was put together from.
  const bytes = Buffer.from(`GET ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
  const kept = heads.read(bytes) ?? { text: bytes.toString('latin1'), known: undefined }
  return new UpgradeRequest(head, kept, request.protocol === 'https:' ? secure : plain, undefined)
}
