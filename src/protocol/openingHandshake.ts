// The opening handshake (RFC 6455, section 4.2): a request in, an acceptance or a refusal out. Both lanes end here.
import { createHash, hash } from 'node:crypto'
import { callerError } from '../checks/errors.js'
import { elementsOf } from './fieldValue.js'

/** An upgrade request as both lanes deliver it. */
export interface HandshakeRequest {
  readonly method: string
  /** The request target as the client wrote it: path and query. */
  readonly target: string
  readonly httpVersion: string
  /** Names in lower case; the values of a repeated header are joined by `, `. Has no prototype. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Lower-case names of headers that came more than once. */
  readonly repeated: readonly string[]
}

/** Why a request is not upgraded, as an HTTP status with its headers. */
export interface Refusal {
  readonly status: number
  readonly headers: HeaderFields
  readonly reason: string
}

const KEY = /^[+/0-9A-Za-z]{22}==$/ // 16 bytes in base64
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const SINGLE = ['host', 'sec-websocket-key', 'sec-websocket-version']

/** Checks a request by section 4.2.1; undefined means that it may be upgraded. */
export function checkUpgrade(request: HandshakeRequest): Refusal | undefined {
  const { headers } = request
  if (request.method !== 'GET') return refuse(405, 'the method must be GET', { Allow: 'GET' })
  if (request.httpVersion !== '1.1') return refuse(400, 'the HTTP version must be 1.1')
  if (!headers['host']) return refuse(400, 'the Host header is missing')
  const twice = SINGLE.find((name) => request.repeated.includes(name))
  if (twice !== undefined) return refuse(400, `the ${twice} header came more than once`)
  if (!hasToken(headers['upgrade'], 'websocket')) return refuse(400, 'the Upgrade header must name websocket')
  if (!hasToken(headers['connection'], 'upgrade')) return refuse(400, 'the Connection header must name upgrade')
  // Section 4.4: tell the client which version it should have asked for.
  if (headers['sec-websocket-version'] !== '13') {
    return refuse(426, 'the WebSocket version must be 13', { 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' })
  }
  if (!isKey(headers['sec-websocket-key'] ?? '')) return refuse(400, 'the Sec-WebSocket-Key must be 16 bytes in base64')
  if (hasBody(request)) return refuse(400, 'an upgrade request has no body')
  return undefined
}

/** Whether a Sec-WebSocket-Key is one: 16 bytes in base64 (section 4.1, point 7). */
export function isKey(key: string): boolean {
  return KEY.test(key)
}

/**
 * An upgrade has no body: what follows the head are frames, and a length would let two readers disagree about them. A
 * length of 0, which Java's client writes, says the same as none (RFC 9110, section 8.6).
 */
function hasBody({ headers, repeated }: HandshakeRequest): boolean {
  const length = headers['content-length']
  if ('transfer-encoding' in headers || repeated.includes('content-length')) return true
  return length !== undefined && !/^0+$/.test(length)
}

/** A refusal with its reason in plain words. */
export function refuse(status: number, reason: string, headers: HeaderFields = {}): Refusal {
  return { status, reason, headers }
}

/** Whether a comma-separated list holds a token, in any case (RFC 9110, section 5.6.1). */
export function hasToken(list: string | undefined, token: string): boolean {
  if (list === undefined) return false
  if (list.length === token.length) return list.toLowerCase() === token
  return elementsOf(list).some((element) => element.toLowerCase() === token)
}

/** The Sec-WebSocket-Accept value for a key (section 4.2.2). */
export function acceptKey(key: string): string {
  // crypto.hash takes a third of the time; it came with Node 20.12 and is not in every runtime that calls itself Node.
  return typeof hash === 'function'
    ? hash('sha1', key + GUID, 'base64')
    : createHash('sha1')
        .update(key + GUID)
        .digest('base64')
}

/** How each 101 response begins: up to the key's answer. */
export const ACCEPTANCE =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: '

/** The rest of the 101 response behind the key's answer, with these headers besides. */
export function acceptanceEnd(protocol = '', headers: HeaderFields = NO_HEADERS): string {
  if (protocol === '' && headers === NO_HEADERS) return '\r\n\r\n' // nearly always
  const chosen = protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`
  return `\r\n${chosen}${headerLines(headers)}\r\n`
}

/** The 101 response to a request that `checkUpgrade` let pass, with these headers besides. */
export function acceptance(request: HandshakeRequest, protocol = '', headers: HeaderFields = NO_HEADERS): string {
  return ACCEPTANCE + acceptKey(request.headers['sec-websocket-key'] ?? '') + acceptanceEnd(protocol, headers)
}

/** The headers of a response by name; one with several values travels in several lines. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>

/** Where there are none: whoever has no headers gives these, which are told from others at once. */
export const NO_HEADERS: HeaderFields = Object.freeze({})

/** What a header's value may consist of (RFC 9110, section 5.5). */
const VALUE = /^[\t -~\x80-\xff]*$/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const NONE: readonly string[] = []

/**
 * The subprotocols in a Sec-WebSocket-Protocol header (section 4.1, point 10): tokens, each once. A header without any
 * offers none, which is what clients mean that write an empty one. Undefined for a header that breaks the rule.
 */
export function offeredProtocols(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return NONE
  const offered = elementsOf(header)
  return offered.every((item) => TOKEN.test(item)) && new Set(offered).size === offered.length ? offered : undefined
}

/** Headers that an application may not set on a response to an upgrade: they are the handshake's own. */
const ours = new Set([
  'connection',
  'upgrade',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'content-length',
  'transfer-encoding',
])

/**
 * Checks headers of the application's. Throws a TypeError for one that is not its to set, or that could not be told
 * apart from what follows: CR and LF in a value would begin a header of somebody else's.
 */
export function checkHeaders(headers: HeaderFields): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name)) throw callerError('ERR_HEADER', `${JSON.stringify(name)} is not a header name`)
    if (ours.has(name.toLowerCase())) throw callerError('ERR_HEADER', `the handshake sets ${name} itself`)
    for (const line of Array.isArray(value) ? value : [value]) {
      if (typeof line !== 'string')
        throw callerError('ERR_HEADER', `the value of the header ${name} must be a string or a list of strings`)
      if (!VALUE.test(line)) {
        throw callerError('ERR_HEADER', `the value of the header ${name} has characters that no header may have`)
      }
    }
  }
}

/** Header lines as they travel. */
export function headerLines(headers: HeaderFields): string {
  let lines = ''
  for (const [name, value] of Object.entries(headers))
    for (const line of typeof value === 'string' ? [value] : value) lines += `${name}: ${line}\r\n`
  return lines
}
