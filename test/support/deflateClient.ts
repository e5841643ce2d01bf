// A client that compresses with zlib, the oracle, frame by frame: it can write what is wrong as well as what is right.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { TestContext } from 'node:test'
import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  type DeflateRaw,
  type InflateRaw,
  type ZlibOptions,
} from 'node:zlib'
import type { ServerOptions } from '../../src/index.js'
import { BINARY, buildFrame, CONTINUATION, TEXT } from './frames.js'
import { upgradeRequest } from './httpRequests.js'
import { serving } from './serving.js'
import { SocketClient } from './socketClient.js'

const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff)
const KEY = Buffer.of(0x5a, 0x17, 0xc3, 0x99)

/** A long document in which much is said again. */
export const orders = JSON.stringify(
  Array.from({ length: 2000 }, (_, at) => ({
    id: at * 7919,
    name: `order ${at % 17}`,
    price: at * 1.25,
    open: at % 3 === 0,
  })),
)

/** A message of the server: whether it was compressed, how long it was on the wire, and what it says. */
export interface Received {
  readonly opcode: number
  readonly compressed: boolean
  readonly wire: number
  readonly frames: number
  readonly data: string | Buffer
}

export interface ClientOptions extends ZlibOptions {
  /** What is offered. */
  readonly offer?: string
  readonly clientNoContextTakeover?: boolean
  readonly serverNoContextTakeover?: boolean
}

export class DeflateClient {
  readonly client: SocketClient
  /** The extension as the server has answered it; empty if it has not. */
  extensions = ''
  readonly #options: ClientOptions
  readonly #deflate: DeflateRaw
  readonly #inflate: InflateRaw
  /** Where the first byte that is not read lies behind the response. */
  #read = 0
  /** The frames of a message whose last one has not come. */
  readonly #underWay: { readonly first: number; readonly payload: Buffer }[] = []

  private constructor(client: SocketClient, options: ClientOptions) {
    this.client = client
    this.#options = options
    this.#deflate = createDeflateRaw(options)
    this.#inflate = createInflateRaw()
  }

  /** Does the opening handshake over a socket that is connected. */
  static async upgraded(client: SocketClient, options: ClientOptions = {}): Promise<DeflateClient> {
    const own = new DeflateClient(client, options)
    const { offer = 'permessage-deflate' } = options
    client.write(upgradeRequest({ 'Sec-WebSocket-Extensions': offer }))
    const { status, head } = await client.response()
    assert.equal(status, 101, head)
    own.extensions = /^sec-websocket-extensions: (.*)\r$/im.exec(head)?.[1] ?? ''
    own.#read = head.length
    return own
  }

  /** What a message becomes, by the window that it shares with those before it. */
  async compressed(data: string | Uint8Array): Promise<Buffer> {
    const bytes = await through(this.#deflate, Buffer.from(data))
    if (this.#options.clientNoContextTakeover === true) this.#deflate.reset()
    assert.ok(bytes.subarray(-4).equals(TAIL))
    return bytes.subarray(0, -4)
  }

  /** A frame with a mask. */
  frame(opcode: number, payload: Uint8Array | string, { fin = true, rsv1 = false } = {}): Buffer {
    return buildFrame({ opcode, payload, fin, reserved: rsv1 ? 4 : 0, key: KEY })
  }

  /** The frames of a compressed message, cut in as many parts. */
  async message(data: string | Uint8Array, parts = 1): Promise<Buffer> {
    return this.frames(typeof data === 'string' ? TEXT : BINARY, await this.compressed(data), parts)
  }

  /** The frames of a message that is compressed already. */
  frames(opcode: number, payload: Buffer, parts = 1): Buffer {
    const length = Math.ceil(payload.length / parts)
    return Buffer.concat(
      Array.from({ length: parts }, (_, at) =>
        this.frame(at === 0 ? opcode : CONTINUATION, payload.subarray(at * length, (at + 1) * length), {
          fin: at === parts - 1,
          rsv1: at === 0,
        }),
      ),
    )
  }

  async send(data: string | Uint8Array, parts = 1): Promise<void> {
    this.client.write(await this.message(data, parts))
  }

  /** The next message of the server, or a control frame, which may come between the fragments of one. */
  async next(): Promise<Received> {
    for (;;) {
      const frame = await this.#frame()
      if ((frame.first & 0x08) !== 0) return this.#received(frame.first, [frame.payload])
      this.#underWay.push(frame)
      if (frame.first < 0x80) continue
      const frames = this.#underWay.splice(0)
      return this.#received(
        frames[0]?.first ?? 0,
        frames.map(({ payload }) => payload),
      )
    }
  }

  async #received(first: number, payloads: readonly Buffer[]): Promise<Received> {
    const wire = Buffer.concat(payloads)
    const opcode = first & 0x0f
    const compressed = (first & 0x40) !== 0
    const data = compressed ? await this.#inflated(wire) : wire
    return {
      opcode,
      compressed,
      wire: wire.length,
      frames: payloads.length,
      data: opcode === TEXT ? data.toString() : data,
    }
  }

  async #inflated(wire: Buffer): Promise<Buffer> {
    const data = await through(this.#inflate, Buffer.concat([wire, TAIL]))
    if (this.#options.serverNoContextTakeover === true) this.#inflate.reset()
    return data
  }

  async #frame(): Promise<{ first: number; payload: Buffer }> {
    const at = this.#read
    const { client } = this
    const has = (bytes: number): Promise<void> =>
      client.until(() => client.received.length >= at + bytes || client.over, 'a frame')
    await has(2)
    if (client.received.length < at + 2) throw new Error('the connection has ended')
    const [first = 0, second = 0] = client.received.subarray(at)
    const extended = second < 126 ? 0 : second === 126 ? 2 : 8
    await has(2 + extended)
    const length =
      extended === 0
        ? second
        : extended === 2
          ? client.received.readUInt16BE(at + 2)
          : Number(client.received.readBigUInt64BE(at + 2))
    const start = 2 + extended
    await has(start + length)
    this.#read = at + start + length
    return { first, payload: Buffer.from(client.received.subarray(at + start, at + start + length)) }
  }
}

/** What a stream of zlib makes of bytes, once it has been flushed. */
async function through(stream: DeflateRaw | InflateRaw, bytes: Uint8Array): Promise<Buffer> {
  const chunks: Buffer[] = []
  const take = (chunk: Buffer): void => void chunks.push(chunk)
  stream.on('data', take)
  stream.write(bytes)
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject)
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      stream.off('error', reject)
      resolve()
    })
  })
  stream.off('data', take)
  return Buffer.concat(chunks)
}

/** A client of a server with these options; both end with the test. */
export async function served(t: TestContext, options: ServerOptions, client?: ClientOptions): Promise<DeflateClient> {
  let socket: SocketClient | undefined
  t.after(() => socket?.destroy())
  const server = await serving(t, options)
  socket = await SocketClient.open(server.port ?? 0)
  return DeflateClient.upgraded(socket, client)
}
