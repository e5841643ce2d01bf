// What a WebSocket is given, checked and read as browsers do it (WHATWG WebSockets, section 3.1).
import { Buffer } from 'node:buffer'
import { checkOptions } from '../checks/check.js'
import { webSocketOptions } from '../checks/clientTables.js'
import { callerError } from '../checks/errors.js'
import { everywhere } from '../checks/tables.js'
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

/** Subprotocols are tokens, each once (RFC 6455, section 4.1, point 10). */
export function checkProtocols(protocols: readonly string[]): void {
  const read = protocols.every((protocol) => protocol !== '') ? offeredProtocols(protocols.join(',')) : undefined
  if (protocols.length > 0 && read?.length !== protocols.length)
    throw new DOMException('The subprotocols must be tokens, each once', 'SyntaxError')
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
