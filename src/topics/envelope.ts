// The envelope protocol. The envelope of a publication, which tells clients its topic and its position: a header in JSON. In a text message, it is
// the first line, and the payload is the rest, as it was published. In a binary message, two bytes in front of it say how long
// it is (big-endian). Requests of clients and their answers are headers alone, in text.
import { Buffer } from 'node:buffer'
import type { Sendable } from '../connection/connection.js'
import type { Message } from '../connection/message.js'
import { isText, payloadOf } from '../connection/sending/sendable.js'

/** The line between the header of a text message and its payload. */
const END = '\n'
/** Bytes of the length in front of a binary message's header. */
const LENGTH = 2

/** What is published, in its envelope. */
export function enveloped(topic: string, position: string | undefined, data: Sendable): string | Uint8Array {
  const header = JSON.stringify(position === undefined ? { topic } : { topic, position })
  if (typeof data === 'string') return header + END + data
  const payload = payloadOf(data)
  if (isText(data)) return header + END + Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString()
  const bytes = Buffer.allocUnsafe(LENGTH + 3 * header.length + payload.length)
  const length = bytes.write(header, LENGTH)
  bytes.writeUInt16BE(length, 0)
  bytes.set(payload, LENGTH + length)
  return bytes.subarray(0, LENGTH + length + payload.length)
}

/** A message in an envelope. */
export interface Enveloped {
  /** The members of the header. */
  readonly header: Readonly<Record<string, unknown>>
  /** What follows the header. Bytes are valid as long as the message is. */
  readonly payload: string | Uint8Array
}

/** What a message carries in its envelope; undefined if it has none. Never throws for what peers send. */
export function readEnvelope(message: Message): Enveloped | undefined {
  if (message.isText) {
    const text = message.text()
    const end = text.startsWith('{') ? text.indexOf(END) : -1
    const header = end < 0 ? undefined : readHeader(text.slice(0, end))
    return header && { header, payload: text.slice(end + 1) }
  }
  const { bytes } = message
  const end = LENGTH + (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0))
  if (end > bytes.length) return undefined
  const header = readHeader(Buffer.from(bytes.buffer, bytes.byteOffset + LENGTH, end - LENGTH).toString())
  return header && { header, payload: bytes.subarray(end) }
}

/** A message that is a header alone. */
export function headerAlone(header: object): string {
  return JSON.stringify(header) + END
}

function readHeader(text: string): Enveloped['header'] | undefined {
  try {
    const header: unknown = JSON.parse(text)
    const isObject = typeof header === 'object' && header !== null && !Array.isArray(header)
    return isObject ? (header as Enveloped['header']) : undefined
  } catch {
    return undefined
  }
}
