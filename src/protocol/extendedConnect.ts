// The opening handshake over HTTP/2 (RFC 8441): an extended CONNECT request in, the fields of a 200 or of a refusal out.
// Whatever comes after the handshake is RFC 6455, as over HTTP/1.1.
import { Buffer } from 'node:buffer'
import { type HandshakeRequest, type HeaderFields, type Refusal, refuse } from './openingHandshake.js'

/** Fields as HTTP/2 delivers them: names in lower case, those with a colon in front among them. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>

const SCHEMES: readonly string[] = ['http', 'https']

/** Checks a request by RFC 8441, section 5; undefined means that it may open a connection. `ended` is END_STREAM. */
export function checkConnect(fields: Fields, ended: boolean): Refusal | undefined {
  const { ':method': method, ':protocol': protocol } = fields
  if (method !== 'CONNECT') return refuse(400, 'a WebSocket over HTTP/2 is opened by an extended CONNECT request')
  if (protocol === undefined) return refuse(405, 'this server is no proxy', { Allow: 'GET, CONNECT' })
  if (String(protocol).toLowerCase() !== 'websocket') return refuse(501, 'the protocol must be websocket')
  if (ended) return refuse(400, 'the stream has ended with its request')
  // RFC 8441, section 5: ws is http here, and wss is https. What ends TLS before this server may say either.
  if (!SCHEMES.includes(textOf(fields[':scheme']).toLowerCase()))
    return refuse(400, 'the :scheme must be http or https, also for ws and wss')
  // A length would be that of all frames, and node:http2 resets a stream with more or less.
  if (fields['content-length'] !== undefined) return refuse(400, 'what opens a WebSocket has no Content-Length')
  if (textOf(fields[':path']) === '' || textOf(fields[':authority'] ?? fields['host']) === '')
    return refuse(400, 'the :path or the :authority is missing')
  if (namesTwoHosts(fields)) return refuse(400, TWO_HOSTS)
  if (fields['sec-websocket-version'] !== '13')
    return refuse(400, 'the WebSocket version must be 13', { 'Sec-WebSocket-Version': '13' })
  return undefined
}

/** Why a request is refused that `namesTwoHosts`. */
export const TWO_HOSTS = 'the Host header names another host than the :authority'

/**
 * Whether Host and `:authority` differ: such a request is malformed, as two readers may take it for two (RFC 9113, section
 * 8.3.1).
 */
export function namesTwoHosts({ ':authority': authority, host }: Fields): boolean {
  return authority !== undefined && host !== undefined && hostOf(authority) !== hostOf(host)
}

/** A host without what says nothing: its case, and the port that its scheme has anyway. */
function hostOf(field: string | readonly string[]): string {
  return textOf(field)
    .toLowerCase()
    .replace(/:(?:80|443)?$/, '')
}

/** The request as both versions of HTTP have it. The host is what `:authority` says (RFC 9113, section 8.3.1). */
export function requestIn(fields: Fields): HandshakeRequest {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(':') || value === undefined) continue
    headers[name] = typeof value === 'string' ? value : value.join(name === 'cookie' ? '; ' : ', ')
  }
  const authority = textOf(fields[':authority'])
  if (authority !== '') headers['host'] = authority
  return { method: 'GET', target: textOf(fields[':path']), httpVersion: '2.0', headers, repeated: [] }
}

/** Fields that HTTP/2 has no place for (RFC 9113, section 8.2.2). */
export const CONNECTION_FIELDS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
]

/**
 * The fields of a response. There are neither Upgrade nor Connection, and no Sec-WebSocket-Accept (RFC 8441, section 5).
 */
export function responseFields(status: number, headers: HeaderFields): Record<string, number | string | string[]> {
  const fields: Record<string, number | string | string[]> = { ':status': status }
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (CONNECTION_FIELDS.includes(lower)) continue
    const values = typeof value === 'string' ? [value] : value
    // Set-Cookie alone must not be joined (RFC 9110, section 5.3).
    fields[lower] = lower === 'set-cookie' ? [...values] : values.join(', ')
  }
  return fields
}

/** The fields of the response that opens a connection. */
export function acceptanceFields(protocol: string, headers: HeaderFields): Record<string, number | string | string[]> {
  const fields = responseFields(200, headers)
  if (protocol !== '') fields['sec-websocket-protocol'] = protocol
  return fields
}

/** The fields of a refusal, whose body is its reason. */
export function refusalFields({ status, headers, reason }: Refusal): Record<string, number | string | string[]> {
  const fields = responseFields(status, headers)
  fields['content-type'] ??= 'text/plain; charset=utf-8'
  fields['content-length'] = String(Buffer.byteLength(reason))
  return fields
}

function textOf(field: string | readonly string[] | undefined): string {
  return field === undefined ? '' : String(field)
}
