// A client of HTTP/2 by hand, by node:http2: it sends what no browser sends, and tells all that comes.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import { type Frame, readFrames } from './frames.js'
import type { Ending } from './serving.js'
import { eventually } from './socketClient.js'

/** A WebSocket on one stream, as bytes. */
export class StreamClient {
  readonly stream: ClientHttp2Stream
  readonly headers: IncomingHttpHeaders
  #bytes = Buffer.alloc(0)
  /** The server has sent END_STREAM. */
  ended = false
  closed = false

  constructor(stream: ClientHttp2Stream, headers: IncomingHttpHeaders) {
    this.stream = stream
    this.headers = headers
    stream.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
    })
    stream.on('end', () => {
      this.ended = true
    })
    stream.on('close', () => {
      this.closed = true
    })
  }

  get status(): number {
    return Number(this.headers[':status'])
  }

  get text(): string {
    return this.#bytes.toString()
  }

  get frames(): readonly Frame[] {
    return readFrames(this.#bytes).frames
  }

  write(bytes: Uint8Array): void {
    this.stream.write(bytes)
  }

  async framesOf(count: number): Promise<readonly Frame[]> {
    await eventually(() => this.frames.length >= count, `${count} frames`)
    return this.frames
  }

  /** Resolves with the error code of the stream. */
  async end(): Promise<number | undefined> {
    await eventually(() => this.closed, 'the end of the stream')
    return this.stream.rstCode
  }
}

/** A session, whose server has sent its SETTINGS; it is destroyed with the test. */
export async function sessionTo(
  t: Ending,
  url: string,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(url, { rejectUnauthorized: false, ...options })
  t.after(async () => session.destroy())
  session.on('error', () => undefined)
  await once(session, 'remoteSettings')
  return session
}

/** Asks for a WebSocket; other fields take the place of what a client should send. A field of undefined is left out. */
export function open(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders = {},
  options: { readonly endStream?: boolean } = {},
): Promise<StreamClient> {
  const headers: OutgoingHttpHeaders = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
    ...fields,
  }
  for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name]
  const stream = session.request(headers, { endStream: false, ...options })
  return new Promise((resolve, reject) => {
    stream.on('error', reject)
    stream.on('response', (response) => resolve(new StreamClient(stream, response)))
  })
}

/** The answer to an ordinary request. */
export async function get(session: ClientHttp2Session, path: string): Promise<{ status: number; body: string }> {
  const stream = session.request({ ':path': path })
  const [headers]: unknown[] = await once(stream, 'response')
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  return { status: Number((headers as IncomingHttpHeaders)[':status']), body }
}
