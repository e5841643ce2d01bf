// A WebSocket client that speaks bytes, the same in every runtime: what a server does is checked, not what a client does.
import { Buffer } from 'node:buffer'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

const REQUEST = [
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==',
]
const KEY = [1, 2, 3, 4]
const PATIENCE = 10_000

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** A masked frame, as a client sends it. */
export function frame(opcode, payload, { fin = true, masked = true, rsv = 0 } = {}) {
  const body = Buffer.from(payload)
  const { length } = body
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
  head[0] = (fin ? 128 : 0) | rsv | opcode
  head[1] = masked ? 128 : 0
  if (length < 126) head[1] |= length
  else if (length < 65_536) {
    head[1] |= 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] |= 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  if (!masked) return Buffer.concat([head, body])
  for (let at = 0; at < length; at++) body[at] ^= KEY[at & 3]
  return Buffer.concat([head, Buffer.from(KEY), body])
}

export class Client {
  #socket
  #chunks = []
  #wake = () => undefined
  #bytes = Buffer.alloc(0)
  ended = false
  status = 0
  head = ''

  constructor(socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#wake()
    })
    const over = () => {
      this.ended = true
      this.#wake()
    }
    socket.on('end', over).on('error', over).on('close', over)
  }

  /** Connects to a port or a path, asks for an upgrade, and waits for the answer. */
  static async open(where, { target = '/', headers = [], ca, behind = Buffer.alloc(0) } = {}) {
    const place = typeof where === 'number' ? { port: where, host: '127.0.0.1' } : { path: where }
    const socket = ca === undefined ? connect(place) : connectTls({ ...place, ca, servername: 'localhost' })
    await new Promise((resolve, reject) => {
      socket.once(ca === undefined ? 'connect' : 'secureConnect', resolve).once('error', reject)
    })
    const client = new Client(socket)
    const lines = [`GET ${target} HTTP/1.1`, ...REQUEST, ...headers].map((line) => `${line}\r\n`)
    client.write(Buffer.concat([Buffer.from(`${lines.join('')}\r\n`), behind]))
    await client.#readHead()
    return client
  }

  write(bytes) {
    this.#socket.write(bytes)
  }

  destroy() {
    this.#socket.destroy()
  }

  /** The next frame: its opcode, whether it is the last of its message, and its payload. */
  async frame() {
    const [first, second] = await this.#peek(2)
    const short = second & 127
    const header = short === 126 ? 4 : short === 127 ? 10 : 2
    const bytes = await this.#peek(header)
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
    const payload = Buffer.from((await this.#peek(header + length)).subarray(header, header + length))
    this.#bytes = this.#bytes.subarray(header + length)
    return { opcode: first & 15, fin: first > 127, payload, header }
  }

  /** The next message, its fragments joined. */
  async message() {
    const first = await this.frame()
    const parts = [first.payload]
    for (let last = first; !last.fin; parts.push(last.payload)) last = await this.frame()
    return { opcode: first.opcode, payload: Buffer.concat(parts), fragments: parts.length, header: first.header }
  }

  /** The code and the reason of the Close that comes next. */
  async closed() {
    const { opcode, payload } = await this.frame()
    if (opcode !== CLOSE) throw new Error(`opcode ${opcode} came, not Close`)
    return payload.length === 0 ? [1005, ''] : [payload.readUInt16BE(0), payload.toString('utf8', 2)]
  }

  async end() {
    await this.#until(() => this.ended, 'the end')
  }

  async #readHead() {
    await this.#until(() => this.#all().includes('\r\n\r\n') || this.ended, 'an answer')
    const end = this.#all().indexOf('\r\n\r\n') + 4
    this.head = this.#bytes.toString('latin1', 0, end)
    this.status = Number(/^HTTP\/1\.1 (\d+)/.exec(this.head)?.[1] ?? 0)
    this.#bytes = this.#bytes.subarray(end)
  }

  async #peek(length) {
    const enough = () => this.#all().length >= length
    await this.#until(() => enough() || this.ended, `${length} bytes`)
    if (!enough()) throw new Error(`the connection ended before ${length} bytes came`)
    return this.#bytes
  }

  #all() {
    if (this.#chunks.length > 0) this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks.splice(0)])
    return this.#bytes
  }

  async #until(done, what) {
    const late = Date.now() + PATIENCE
    while (!done()) {
      const left = late - Date.now()
      if (left <= 0) throw new Error(`${what} did not come within ${PATIENCE} ms`)
      let timer
      await new Promise((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, left)
      })
      clearTimeout(timer)
    }
  }
}
