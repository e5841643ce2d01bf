// What `sendStream` can send, as chunks of one kind: strings for a text message, bytes for a binary one.
import { Buffer } from 'node:buffer'
import { bytesOf } from './framing.js'

/** A chunk of a stream. */
export type StreamChunk = string | ArrayBufferView | ArrayBuffer

/** An async iterable, a web ReadableStream, a Readable of Node.js, or anything else that can be iterated. */
export type StreamSource = AsyncIterable<StreamChunk> | Iterable<StreamChunk>

/**
 * The chunks of a source as the kind of message demands: bytes in a text message are decoded, strings in a binary one
 * encoded. Without a demand, the first chunk decides. Throws a TypeError for bytes that are no UTF-8.
 */
export async function* textOrBytes(
  source: StreamSource,
  binary: boolean | undefined,
): AsyncGenerator<string | Uint8Array> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let wanted = binary
  for await (const chunk of source) {
    wanted ??= typeof chunk !== 'string'
    if (typeof chunk === 'string') yield wanted ? Buffer.from(chunk) : chunk
    else if (wanted) yield bytesOf(chunk)
    else yield decoder.decode(bytesOf(chunk), { stream: true })
  }
  const rest = decoder.decode() // throws if the last character is cut
  if (rest !== '') yield rest
}
