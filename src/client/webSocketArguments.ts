// What a WebSocket is given, checked and read as browsers do it (WHATWG WebSockets, section 3.1).
import { Buffer } from 'node:buffer'
import { offeredProtocols } from '../protocol/openingHandshake.js'
import { readAddress } from './address.js'

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
