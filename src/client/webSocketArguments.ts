// What a WebSocket is given, checked and read as browsers do it (WHATWG WebSockets, section 3.1).
import { Buffer } from 'node:buffer'
import { checkOptions } from '../checks/check.js'
import { webSocketOptions } from '../checks/clientTables.js'
import { callerError } from '../checks/errors.js'
import { everywhere } from '../checks/tables.js'
import { CloseCode, LONGEST_CLOSE_REASON } from '../protocol/closeCode.js'
import { offeredProtocols } from '../protocol/openingHandshake.js'
import { readAddress } from './address.js'
import { checkRequest } from './requestHeaders.js'

/** What a WebSocket sends: text, or bytes of any kind. */
export type WebSocketData = string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView | Blob

export function addressOf(url: string | URL): URL {
  try {
    return readAddress(url)
  } catch (error) {
    throw new DOMException(error instanceof Error ? error.message : String(error), 'SyntaxError')
  }
}

/** What follows the address: subprotocols, as text or as anything that has them one after the other, or options. */
export function argumentsOf<Options extends { readonly protocols?: readonly string[] }>(
  given: string | Iterable<string> | Options,
): Options & { readonly protocols: readonly string[] } {
  const isObject = typeof given === 'object' && given !== null
  const options = isObject && !(Symbol.iterator in given) ? given : ({} as Options)
  const offered = isObject ? (Symbol.iterator in given ? [...given] : (given.protocols ?? [])) : [given]
  return { ...options, protocols: offered.map(String) }
}

/** Subprotocols are tokens, each once (RFC 6455, section 4.1, point 10). */
export function checkProtocols(protocols: readonly string[]): void {
  const read = protocols.every((protocol) => protocol !== '') ? offeredProtocols(protocols.join(',')) : undefined
  if (protocols.length > 0 && read?.length !== protocols.length)
    throw new DOMException('The subprotocols must be tokens, each once', 'SyntaxError')
}

/**
 * The code and the reason to close with; no code stands for a Close frame that says nothing. Throws an InvalidAccessError for
 * a code that no page may use, and a SyntaxError for a reason that is too long.
 */
export function closingOf(code: unknown, reason: unknown): { code: number | undefined; reason: string } {
  const said = code === undefined ? undefined : clamped(Number(code))
  if (said !== undefined && said !== CloseCode.normal && !(said >= 3000 && said <= 4999))
    throw new DOMException('The code must be 1000, or from 3000 to 4999', 'InvalidAccessError')
  const text = reason === undefined ? '' : String(reason)
  if (Buffer.byteLength(text) > LONGEST_CLOSE_REASON)
    throw new DOMException(`The reason has more than ${LONGEST_CLOSE_REASON} bytes`, 'SyntaxError')
  // A reason can't travel without a code.
  return { code: said === undefined && text !== '' ? CloseCode.normal : said, reason: text }
}

/** To the nearest whole number, and of two that are as near to the even one (Web IDL, [Clamp]). */
function clamped(value: number): number {
  const near = Math.round(value)
  return near - value === 0.5 && near % 2 !== 0 ? near - 1 : near
}

/** Throws a TypeError or a RangeError for options that are wrong, before there is a connection to fail. */
export function checkSettings(options: object): void {
  checkOptions(options, webSocketOptions, everywhere)
  checkRequest(options)
}

/** Whoever offers subprotocols is answered with one of them (WHATWG Fetch, "obtain a WebSocket connection"). */
export function checkAgreement(offered: readonly string[], agreed: string | undefined): void {
  if (offered.length > 0 && agreed === undefined)
    throw callerError('ERR_CONNECT_ANSWER', 'the server has chosen none of the subprotocols')
}

/** Whatever is neither bytes nor a Blob travels as the text that it is converted to. */
export function payloadOf(data: WebSocketData): WebSocketData {
  const isBytes = data instanceof ArrayBuffer || data instanceof SharedArrayBuffer || ArrayBuffer.isView(data)
  return isBytes || data instanceof Blob ? data : String(data)
}

export function lengthOf(payload: WebSocketData): number {
  if (payload instanceof Blob) return payload.size
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength
}

export function bytesOf(data: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}
