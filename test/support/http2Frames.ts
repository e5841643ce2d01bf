// Frames of HTTP/2 by hand (RFC 9113, section 4.1), for what no client sends.
import { Buffer } from 'node:buffer'
import { SocketClient } from './socketClient.js'

export const DATA = 0
export const HEADERS = 1
export const RST_STREAM = 3
export const SETTINGS = 4
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A field as a literal without indexing (RFC 7541, section 6.2.2); both strings are shorter than 127 bytes. */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
}

export const getRequest = Buffer.concat([
  field(':method', 'GET'),
  field(':scheme', 'http'),
  field(':path', '/'),
  field(':authority', 'x'),
])

export const connectRequest = Buffer.concat([
  field(':method', 'CONNECT'),
  field(':protocol', 'websocket'),
  field(':scheme', 'http'),
  field(':path', '/'),
  field(':authority', 'x'),
  field('sec-websocket-version', '13'),
])

/** Settings as a payload: identifiers and values. */
export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length)
  for (const [at, [identifier, value]] of pairs.entries()) {
    payload.writeUInt16BE(identifier, 6 * at)
    payload.writeUInt32BE(value, 6 * at + 2)
  }
  return payload
}

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

interface ReadFrame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** A client that has sent its preface and SETTINGS, and nothing else. */
export class FrameClient {
  readonly socket: SocketClient

  constructor(socket: SocketClient) {
    this.socket = socket
  }

  static async open(port: number, own: Buffer = Buffer.alloc(0)): Promise<FrameClient> {
    const client = new FrameClient(await SocketClient.open(port))
    client.socket.write(Buffer.concat([preface, frame(SETTINGS, 0, 0, own)]))
    return client
  }

  write(...frames: readonly Buffer[]): void {
    if (!this.socket.closed) this.socket.write(Buffer.concat(frames))
  }

  get frames(): ReadFrame[] {
    const frames: ReadFrame[] = []
    const bytes = this.socket.received
    for (let at = 0; at + 9 <= bytes.length; ) {
      const length = bytes.readUIntBE(at, 3)
      if (at + 9 + length > bytes.length) break
      const payload = bytes.subarray(at + 9, at + 9 + length)
      frames.push({ type: bytes[at + 3] ?? 0, flags: bytes[at + 4] ?? 0, stream: bytes.readUInt32BE(at + 5), payload })
      at += 9 + length
    }
    return frames
  }

  of(type: number): ReadFrame[] {
    return this.frames.filter((one) => one.type === type)
  }

  /** The error code of GOAWAY, once the server has ended the session. */
  async ended(): Promise<number | undefined> {
    await this.socket.end(20_000)
    return this.of(GOAWAY).at(-1)?.payload.readUInt32BE(4)
  }
}
