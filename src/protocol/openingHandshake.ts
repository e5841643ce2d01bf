// The opening handshake (RFC 6455, section 4.2): a request in, an acceptance or a refusal out. Both lanes end here.
import { createHash, hash } from 'node:crypto'

/** An upgrade request as both lanes deliver it. */
export interface UpgradeRequest {
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
  readonly headers: Readonly<Record<string, string>>
  readonly reason: string
}

const KEY = /^[+/0-9A-Za-z]{22}==$/ // 16 bytes in base64
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const SINGLE = ['host', 'sec-websocket-key', 'sec-websocket-version']

/** Checks a request by section 4.2.1; undefined means that it may be upgraded. */
export function checkUpgrade(request: UpgradeRequest): Refusal | undefined {
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
  if (!KEY.test(headers['sec-websocket-key'] ?? ''))
    return refuse(400, 'the Sec-WebSocket-Key must be 16 bytes in base64')
  // An upgrade has no body: what follows the head are frames, and a length would let two readers disagree about them.
  if ('content-length' in headers || 'transfer-encoding' in headers)
    return refuse(400, 'an upgrade request has no body')
  return undefined
}

function refuse(status: number, reason: string, headers: Record<string, string> = {}): Refusal {
  return { status, reason, headers }
}

/** Whether a comma-separated list holds a token, in any case (RFC 9110, section 5.6.1). */
export function hasToken(list: string | undefined, token: string): boolean {
  if (list === undefined) return false
  if (list.length === token.length) return list.toLowerCase() === token
  return list.split(',').some((item) => item.trim().toLowerCase() === token)
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

/** The 101 response to a request that `checkUpgrade` let pass. */
export function acceptance(request: UpgradeRequest): string {
  const accept = acceptKey(request.headers['sec-websocket-key'] ?? '')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}
