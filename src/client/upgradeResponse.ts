// The server's answer to the opening handshake, and whether a client may go on from there (RFC 6455, section 4.1).
import type { IncomingHttpHeaders } from 'node:http'
import { acceptKey, hasToken } from '../protocol/openingHandshake.js'

/** What a server has answered with, as `upgrade` and the errors of `connect` have it. */
export interface UpgradeResponse {
  /** The HTTP status; where the connection opens, 101, or over HTTP/2, 200. */
  readonly status: number
  /** The headers by their names in lower case, as node:http reads them: only Set-Cookie is a list. */
  readonly headers: IncomingHttpHeaders
}

/** What was asked for. */
export interface Asked {
  /** The Sec-WebSocket-Key. */
  readonly key: string
  readonly protocols: readonly string[]
}

/** What is wrong with a 101 response, as the rest of a sentence about the server; undefined if nothing is. */
export function flawOf(response: UpgradeResponse, { key, protocols }: Asked): string | undefined {
  const { headers } = response
  if (!hasToken(headers.upgrade, 'websocket')) return 'upgraded to something else than websocket'
  if (!hasToken(headers.connection, 'upgrade')) return 'answered 101 without Connection: Upgrade'
  if (headers['sec-websocket-accept']?.trim() !== acceptKey(key)) return 'answered with a wrong Sec-WebSocket-Accept'
  return subprotocolFlaw(response, protocols)
}

/** The same of the subprotocol alone, which is all that a response over HTTP/2 has of these (RFC 8441, section 5). */
export function subprotocolFlaw({ headers }: UpgradeResponse, protocols: readonly string[]): string | undefined {
  const protocol = headers['sec-websocket-protocol']
  if (protocol !== undefined && !protocols.includes(protocol))
    return `answered with a subprotocol that was not asked for: ${protocol}`
  return undefined
}
