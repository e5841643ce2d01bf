// Reads an upgrade request as ws does: which checks there are, in which order, and what the client is told. All of it is
// looser than the core's own opening handshake (server/lanes), and version 8 of the protocol is taken.
import type { IncomingMessage } from 'node:http'
import type { Agreed } from '../connection/deflateAgreements.js'
import * as extension from './extension.js'
import { PerMessageDeflate, type PerMessageDeflateOptions } from './perMessageDeflate.js'
import type { Refusal } from './refusal.js'
import * as subprotocol from './subprotocol.js'

/** The extensions that a connection has agreed on, by their names. */
export type AgreedExtensions = Record<string, PerMessageDeflate>

/** What must hold of every request, before the server is asked whether it wants it. */
export interface OpeningRequest {
  readonly key: string
  readonly version: number
}

/** What the client offers, and what is agreed on of it. */
export interface Offers {
  readonly protocols: Set<string>
  readonly extensions: AgreedExtensions
}

/** What is read of a request. */
type Seen = Pick<IncomingMessage, 'method' | 'headers'>

const KEY = /^[+/0-9A-Za-z]{22}==$/
const VERSIONS = [13, 8]

/** The key and the version of a request, or why it is no opening handshake. */
export function readOpening({ method, headers }: Seen): OpeningRequest | Refusal {
  const key = headers['sec-websocket-key']
  const version = Number(headers['sec-websocket-version'])
  if (method !== 'GET') return { status: 405, message: 'Invalid HTTP method' }
  if (headers.upgrade?.toLowerCase() !== 'websocket') return { status: 400, message: 'Invalid Upgrade header' }
  if (key === undefined || !KEY.test(key)) {
    return { status: 400, message: 'Missing or invalid Sec-WebSocket-Key header' }
  }
  if (VERSIONS.includes(version)) return { key, version }
  const message = 'Missing or invalid Sec-WebSocket-Version header'
  return { status: 400, message, headers: { 'Sec-WebSocket-Version': '13, 8' } }
}

/** What the client offers, or why it can't be read. Extensions are looked at only where the server wants one. */
export function readOffers(
  { headers }: Seen,
  perMessageDeflate: boolean | PerMessageDeflateOptions | null | undefined,
): Offers | Refusal {
  const protocols = protocolsIn(headers['sec-websocket-protocol'])
  if (protocols === undefined) return { status: 400, message: 'Invalid Sec-WebSocket-Protocol header' }
  const offered = headers['sec-websocket-extensions']
  if (!perMessageDeflate || offered === undefined) return { protocols, extensions: {} }
  const extensions = agreed(offered, perMessageDeflate === true ? {} : perMessageDeflate)
  if (extensions !== undefined) return { protocols, extensions }
  return { status: 400, message: 'Invalid or unacceptable Sec-WebSocket-Extensions header' }
}

function protocolsIn(header: string | undefined): Set<string> | undefined {
  if (header === undefined) return new Set()
  try {
    return subprotocol.parse(header)
  } catch {
    return undefined
  }
}

function agreed(header: string, options: PerMessageDeflateOptions): AgreedExtensions | undefined {
  const name = PerMessageDeflate.extensionName
  try {
    const offers = extension.parse(header)[name]
    if (offers === undefined) return {}
    const deflate = new PerMessageDeflate({ ...options, isServer: true })
    deflate.accept(offers)
    return deflate.hasRoom ? { [name]: deflate } : {}
  } catch {
    return undefined
  }
}

/** How the response names what was agreed on; undefined if that is nothing. */
export function answerOf(extensions: AgreedExtensions): string | undefined {
  const name = PerMessageDeflate.extensionName
  const deflate = extensions[name]
  return deflate && extension.format({ [name]: deflate.params })
}

/** How messages are compressed, if that was agreed on. */
export function compressionOf(extensions: AgreedExtensions): Agreed | undefined {
  return extensions[PerMessageDeflate.extensionName]?.agreed
}
