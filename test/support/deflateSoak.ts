// A process of its own that keeps many compressed connections busy with messages of random sizes, in parts: the memory of
// the server can be looked at between two of them.
// usage: deflateSoak PORT CONNECTIONS SEED; for each line with a number, every connection sends so many messages more, each
// after the echo of the one before, and `done` is printed once all echoes are there.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { constants, createDeflateRaw } from 'node:zlib'
import { buildFrame, TEXT } from './frames.js'
import { upgradeRequest } from './httpRequests.js'
import { Random } from './random.js'

const [port = 0, count = 0, seed = 0] = process.argv.slice(2).map(Number)
/** Different rows of messages; one connection in so many sends the same. */
const ROWS = 10
/** Messages of a row, after which it is sent again from its beginning: a window may hold anything. */
const MESSAGES = 250
const OFFER = 'permessage-deflate; client_max_window_bits'
const WINDOW_BITS = 12
const KEY = Buffer.of(0x5a, 0x17, 0xc3, 0x99)
const random = new Random(seed)

/** JSON of 1 byte to 8 KiB, most of it short: each power of two is as likely as another. */
function text(): string {
  const length = Math.floor(2 ** (random.below(13_000) / 1000))
  let json = '['
  while (json.length < length) json += `{"id":${random.below(1e6)},"name":"order ${random.below(99)}"},`
  return json.slice(0, length)
}

/** Frames of messages that share a window; the first refers to nothing. */
async function row(): Promise<Buffer[]> {
  const deflate = createDeflateRaw({ windowBits: WINDOW_BITS, level: 1 })
  const frames: Buffer[] = []
  for (let message = 0; message < MESSAGES; message++) {
    const parts: Buffer[] = []
    const take = (part: Buffer): void => void parts.push(part)
    deflate.on('data', take)
    deflate.write(text())
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
    deflate.off('data', take)
    const payload = Buffer.concat(parts).subarray(0, -4)
    frames.push(buildFrame({ opcode: TEXT, payload, fin: true, reserved: 4, key: KEY }))
  }
  return frames
}

/** Counts the frames of a server, whatever is in them. */
class FrameCount {
  #head = Buffer.alloc(0)
  #payload = 0

  /** How many frames end in these bytes. */
  take(bytes: Buffer): number {
    let frames = 0
    let at = Math.min(this.#payload, bytes.length)
    this.#payload -= at
    if (this.#head.length === 0 && at > 0 && this.#payload === 0) frames++
    let rest = Buffer.concat([this.#head, bytes.subarray(at)])
    for (let size = frameSize(rest); size !== undefined; size = frameSize(rest)) {
      if (size > rest.length) {
        this.#payload = size - rest.length
        rest = Buffer.alloc(0)
        break
      }
      frames++
      rest = rest.subarray(size)
    }
    at = rest.length
    this.#head = Buffer.from(rest)
    return frames
  }
}

/** The bytes of the frame that begins here; undefined if too little of its header is there. */
function frameSize(bytes: Buffer): number | undefined {
  const short = bytes[1]
  if (short === undefined) return undefined
  if (short < 126) return 2 + short
  if (short === 126) return bytes.length < 4 ? undefined : 4 + bytes.readUInt16BE(2)
  return bytes.length < 10 ? undefined : 10 + Number(bytes.readBigUInt64BE(2))
}

interface Line {
  readonly socket: Socket
  readonly frames: readonly Buffer[]
  sent: number
  left: number
}

let busy = 0

function next(line: Line): void {
  const { frames } = line
  if (line.left-- === 0) {
    if (--busy === 0) console.log('done')
    return
  }
  line.socket.write(frames[line.sent++ % frames.length] ?? Buffer.alloc(0))
}

async function open(frames: readonly Buffer[]): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(upgradeRequest({ 'Sec-WebSocket-Extensions': OFFER }))
  const [head] = await once(socket, 'data')
  if (!/client_max_window_bits=12/.test(String(head))) throw new Error(`answered ${String(head)}`)
  const line = { socket, frames, sent: 0, left: 0 }
  const counter = new FrameCount()
  socket.on('data', (bytes: Buffer) => {
    for (let frame = counter.take(bytes); frame > 0; frame--) next(line)
  })
  socket.on('close', () => {
    throw new Error('a connection has ended')
  })
  return line
}

const rows = await Promise.all(Array.from({ length: ROWS }, row))
const lines: Line[] = []
for (let index = 0; index < count; index++) lines.push(await open(rows[index % ROWS] ?? []))
console.log('open')
for await (const line of createInterface({ input: process.stdin })) {
  busy = lines.length
  for (const one of lines) {
    one.left = Number(line)
    next(one)
  }
}
process.exit(0)
