// What an attacker writes: requests and frames, right and wrong ones, built before they are needed.
import { buildFrame, CONTINUATION } from '../../test/support/frames.js'

export const KEY: Buffer = Buffer.of(0x37, 0xfa, 0x21, 0x3d)

/** An upgrade request; `headers` are added as they are. */
export function upgradeRequest(path: string, headers: readonly string[] = []): Buffer {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==',
    ...headers,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** The header of a frame of `length` bytes, with the masking key. */
export function header(opcode: number, length: number, fin = true): Buffer {
  return buildFrame({ opcode, fin, key: KEY, announced: BigInt(length) })
}

/** A masked frame, as clients send them (RFC 6455, section 5.2). */
export function frame(opcode: number, payload: string | Uint8Array = '', fin = true): Buffer {
  return buildFrame({ opcode, payload, fin, key: KEY })
}

/** A message of `payload.length` fragments of a byte each, or of `payload.length` empty ones and one more. */
export function fragments(opcode: number, payload: Uint8Array, empty = false): Buffer {
  const parts = [...payload].map((byte, at) => {
    const last = !empty && at === payload.length - 1
    return frame(at === 0 ? opcode : CONTINUATION, empty ? '' : Buffer.of(byte), last)
  })
  return Buffer.concat(empty ? [...parts, frame(CONTINUATION)] : parts)
}

/** The same bytes again and again, as often as they fit into `length`, and once at least. */
export function repeated(bytes: Buffer, length = 65_536): Buffer {
  return Buffer.concat(new Array<Buffer>(Math.max(1, Math.floor(length / bytes.length))).fill(bytes))
}
