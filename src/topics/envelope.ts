// The envelope of a publication, which tells clients its topic and its position: a header in JSON. In a text message, it is
// the first line, and the payload is the rest, as it was published. In a binary message, two bytes in front of it say how long
// it is (big-endian).
import { Buffer } from 'node:buffer'
import type { Sendable } from '../connection/connection.js'
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
