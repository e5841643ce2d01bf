// The client's side of the opening handshake (RFC 6455, section 4.1), by node:http: one clear error for each way it fails.
import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { acceptKey, hasToken } from '../protocol/openingHandshake.js'
import { acceptedDeflate, type DeflateParameters } from '../protocol/permessageDeflate.js'
import { printable } from '../protocol/printable.js'

/** The server did not upgrade the connection, or could not be reached. The message is fit for a person. */
export class DialError extends Error {
  override readonly name = 'DialError'
}

/** A stream whose opening handshake is done, and the bytes that came after the response. */
export interface ClientSocket {
  readonly stream: Duplex
  readonly early: Buffer
  /** What the server has accepted of the offer, where one was made. */
  readonly deflate?: AcceptedDeflate
}

/** permessage-deflate, as the server has answered, and what that means. */
export interface AcceptedDeflate {
  readonly answer: string
  readonly parameters: DeflateParameters
}

const NO_ANSWER = 'gave no answer in time'
/** Bytes of a response's head, and responses before the one that counts (1xx): a server that writes more is no server. */
const LONGEST_HEAD = 16 * 1024
const MOST_INTERIM = 16
/**
 * Connects to a `ws:` or `wss:` address. `offer` is the extension that is offered, if any: permessage-deflate with its
 * parameters, which the server must accept. Rejects with a DialError, after `timeout` milliseconds or an abort, too.
 */
export function dial(
  url: URL,
  offer: string | undefined,
  timeout: number,
  signal?: AbortSignal,
): Promise<ClientSocket> {
  const key = randomBytes(16).toString('base64')
  const request = (url.protocol === 'wss:' ? httpsRequest : httpRequest)(httpAddress(url), {
    headers: headersOf(key, offer),
    agent: false,
    maxHeaderSize: LONGEST_HEAD,
  })
  const giveUp = (): unknown => request.destroy(new Error('the attempt was given up'))
  const limit = setTimeout(() => request.destroy(new Error(NO_ANSWER)), timeout)
  const dialled = new Promise<ClientSocket>((resolve, reject) => {
    const fail = (problem: string): void => reject(new DialError(`${url.href} ${printable(problem)}`))
    request.on('upgrade', (response, stream, early) => {
      const answer = response.headers['sec-websocket-extensions'] ?? ''
      const parameters = offer === undefined ? undefined : acceptedDeflate(answer, offer)
      const problem = problemOf(response, key) ?? problemOfExtensions(answer, offer, parameters)
      if (problem === undefined) {
        return resolve({ stream, early, ...(parameters && { deflate: { answer, parameters } }) })
      }
      stream.destroy()
      fail(problem)
    })
    let interim = 0
    request.on('information', () => {
      if (++interim > MOST_INTERIM) request.destroy(new Error('sends interim responses without end'))
    })
    request.on('response', (response) => {
      request.destroy()
      fail(`refused: ${response.statusCode} ${response.statusMessage}`.trimEnd())
    })
    request.on('error', (error: NodeJS.ErrnoException) => fail(explain(error)))
  })
  signal?.addEventListener('abort', giveUp)
  if (signal?.aborted) giveUp()
  request.end()
  return dialled.finally(() => {
    clearTimeout(limit)
    signal?.removeEventListener('abort', giveUp)
  })
}

function headersOf(key: string, offer: string | undefined): Record<string, string> {
  return {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    ...(offer === undefined ? {} : { 'Sec-WebSocket-Extensions': offer }),
  }
}

function httpAddress(url: URL): URL {
  const address = new URL(url)
  address.protocol = url.protocol === 'wss:' ? 'https:' : 'http:'
  return address
}

/** What is wrong with a 101 response, if anything. */
function problemOf({ headers }: IncomingMessage, key: string): string | undefined {
  if (!hasToken(headers.upgrade, 'websocket')) return 'upgraded to something else than websocket'
  if (!hasToken(headers.connection, 'upgrade')) return 'answered 101 without Connection: Upgrade'
  if (headers['sec-websocket-accept'] !== acceptKey(key)) return 'answered with a wrong Sec-WebSocket-Accept'
  const { 'sec-websocket-protocol': protocol } = headers
  if (protocol !== undefined) return `answered with a subprotocol that was not asked for: ${protocol}`
  return undefined
}

/** What is wrong with the extensions of a response to this offer, if anything. */
function problemOfExtensions(answer: string, offer: string | undefined, accepted: unknown): string | undefined {
  if (offer === undefined) {
    return answer === '' ? undefined : `answered with an extension that was not asked for: ${answer}`
  }
  if (accepted !== undefined) return undefined
  return answer === '' ? 'did not accept permessage-deflate' : `answered ${offer} with ${answer}`
}

/** What an error means, where a person can do something about it. Other errors speak for themselves. */
const explanations: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'cannot be reached: nobody listens there'],
  ['ENOTFOUND', 'cannot be reached: no such host'],
  ['EAI_AGAIN', 'cannot be reached: the host name cannot be looked up'],
  ['ECONNRESET', 'ended the connection during the opening handshake'],
  ['EPIPE', 'ended the connection during the opening handshake'],
  ['EMFILE', 'cannot be reached: too many open files; ulimit -n raises the limit'],
  ['EADDRNOTAVAIL', 'cannot be reached: no local port is free, or the address is no address to connect to'],
  ['EPROTO', 'does not speak TLS: try ws: instead of wss:'],
])

function explain({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'HPE_HEADER_OVERFLOW') return `answers with a head of more than ${LONGEST_HEAD} bytes`
  if (code.startsWith('HPE_')) return `does not speak HTTP (${message.toLowerCase()})`
  if (message === NO_ANSWER || message.startsWith('answers')) return message
  return explanations.get(code) ?? `cannot be reached: ${message.split('\n', 1)[0]}`
}
