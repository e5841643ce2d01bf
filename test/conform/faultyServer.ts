// A small echo server in plain JavaScript that keeps the rules, but for those that a test has it break: it shows that a case
// can fail, and that it fails for its own reason.
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import type { Ending } from '../support/serving.js'

export type Fault =
  | 'anyAccept'
  | 'anyKey'
  | 'anyVersion'
  | 'extension'
  | 'protocol'
  | 'takesUnmasked'
  | 'takesReservedBits'
  | 'takesReservedOpcodes'
  | 'takesLongControl'
  | 'takesAnyOrder'
  | 'takesAnyText'
  | 'takesAnyCode'
  | 'masksAnswers'
  | 'setsReservedBits'
  | 'longLengths'
  | 'answersTwice'
  | 'answersWrongly'
  | 'emptyPongs'
  | 'noPongs'
  | 'otherCode'
  | 'noCode'
  | 'noCloseFrame'
  | 'keepsTcpOpen'

/** The port of a server with these faults; it ends with the test. */
export function faulty(test: Ending, ...faults: readonly Fault[]): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    new FaultyConnection(socket, new Set(faults)).serve()
  })
  test.after(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

class FaultyConnection {
  readonly #socket: Socket
  readonly #faults: ReadonlySet<Fault>
  #bytes = Buffer.alloc(0)
  #open = false
  #over = false
  #opcode = 0
  #parts: Buffer[] = []

  constructor(socket: Socket, faults: ReadonlySet<Fault>) {
    this.#socket = socket
    this.#faults = faults
  }

  serve(): void {
    this.#socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      if (!this.#open) this.#handshake()
      while (this.#open && !this.#over && this.#frame());
    })
    this.#socket.on('end', () => this.#socket.end())
  }

  #handshake(): void {
    const length = this.#bytes.indexOf('\r\n\r\n')
    if (length < 0) return
    const head = this.#bytes.toString('latin1', 0, length)
    this.#bytes = this.#bytes.subarray(length + 4)
    const header = (name: string): string | undefined =>
      new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'im').exec(head)?.[1]
    const key = header('Sec-WebSocket-Key') ?? ''
    if (header('Sec-WebSocket-Version') !== '13' && !this.#faults.has('anyVersion'))
      return this.#refuse('426 Upgrade Required', 'Sec-WebSocket-Version: 13\r\n')
    if (!/^[+/\w]{22}==$/.test(key) && !this.#faults.has('anyKey')) return this.#refuse('400 Bad Request', '')
    this.#accept(key)
  }

  #refuse(status: string, headers: string): void {
    this.#socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${headers}Content-Length: 0\r\n\r\n`)
  }

  #accept(key: string): void {
    const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    const accept = this.#faults.has('anyAccept') ? 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' : hash
    const extension = this.#faults.has('extension') ? 'Sec-WebSocket-Extensions: x-unasked\r\n' : ''
    const protocol = this.#faults.has('protocol') ? 'Sec-WebSocket-Protocol: unasked\r\n' : ''
    this.#socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${extension}${protocol}\r\n`,
    )
    this.#open = true
  }

  #frame(): boolean {
    const bytes = this.#bytes
    if (bytes.length < 2) return false
    const [first = 0, second = 0] = bytes
    const [tier, masked] = [second & 127, second > 127]
    const start = 2 + (tier < 126 ? 0 : tier === 126 ? 2 : 8)
    if (bytes.length < start + (masked ? 4 : 0)) return false
    const length = tier < 126 ? tier : tier === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    const problem = this.#problem(first, masked, tier, length)
    if (problem) {
      this.#fail(1002)
      return false
    }
    const payloadAt = start + (masked ? 4 : 0)
    if (bytes.length < payloadAt + length) return false
    const key = masked ? bytes.subarray(start, start + 4) : Buffer.alloc(4)
    const payload = Buffer.from(bytes.subarray(payloadAt, payloadAt + length))
    for (let at = 0; at < length; at++) payload[at] = (payload[at] ?? 0) ^ (key[at & 3] ?? 0)
    this.#bytes = bytes.subarray(payloadAt + length)
    this.#take(first, payload)
    return true
  }

  #problem(first: number, masked: boolean, tier: number, length: number): boolean {
    const opcode = first & 15
    const isControl = opcode > 7
    if (!masked && !this.#faults.has('takesUnmasked')) return true
    if ((first & 0x70) !== 0 && !this.#faults.has('takesReservedBits')) return true
    if ((opcode > 10 || (opcode > 2 && !isControl)) && !this.#faults.has('takesReservedOpcodes')) return true
    if (isControl && (length > 125 || first < 128) && !this.#faults.has('takesLongControl')) return true
    if (length > Number.MAX_SAFE_INTEGER || (tier === 126 && length < 126) || (tier === 127 && length < 65_536))
      return true
    if (isControl || this.#faults.has('takesAnyOrder')) return false
    return (opcode === 0) !== (this.#opcode !== 0)
  }

  #take(first: number, payload: Buffer): void {
    const opcode = first & 15
    if (opcode === 8) return this.#close(payload)
    if (opcode === 9) {
      if (!this.#faults.has('noPongs')) this.#send(10, this.#faults.has('emptyPongs') ? Buffer.alloc(0) : payload)
      return
    }
    if (opcode > 2) return
    if (opcode !== 0) this.#opcode = opcode
    this.#parts.push(payload)
    if (first < 128) return
    const message = Buffer.concat(this.#parts)
    const kind = this.#opcode === 0 ? 2 : this.#opcode
    this.#opcode = 0
    this.#parts = []
    if (kind === 1 && !isUtf8(message) && !this.#faults.has('takesAnyText')) return this.#fail(1007)
    this.#answer(kind, message)
  }

  #answer(kind: number, message: Buffer): void {
    const wrong = this.#faults.has('answersWrongly') && message.length > 0
    this.#send(kind, wrong ? Buffer.alloc(message.length, 'x') : message)
    if (this.#faults.has('answersTwice')) this.#send(kind, message)
  }

  #close(payload: Buffer): void {
    const code = payload.length < 2 ? 1000 : payload.readUInt16BE(0)
    const isCode = (code >= 1000 && code < 1015 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000)
    if (payload.length === 1 || (!isCode && !this.#faults.has('takesAnyCode'))) return this.#fail(1002)
    if (payload.length > 2 && !isUtf8(payload.subarray(2))) return this.#fail(1007)
    if (this.#faults.has('otherCode')) return this.#end(Buffer.of(3, 243))
    this.#end(payload)
  }

  #fail(code: number): void {
    this.#end(this.#faults.has('noCode') ? Buffer.alloc(0) : Buffer.of(code >> 8, code & 255))
  }

  #end(payload: Buffer): void {
    this.#over = true
    if (!this.#faults.has('noCloseFrame')) this.#send(8, payload)
    if (!this.#faults.has('keepsTcpOpen')) this.#socket.end()
  }

  #send(opcode: number, payload: Buffer): void {
    const reserved = this.#faults.has('setsReservedBits') && opcode < 8 ? 0x20 : 0
    const first = 0x80 | reserved | opcode
    const mask = this.#faults.has('masksAnswers') ? 128 : 0
    const long = Buffer.of(first, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0)
    long.writeBigUInt64BE(BigInt(payload.length), 2)
    const short = Buffer.of(first, mask | 126, payload.length >> 8, payload.length & 255)
    const forced = this.#faults.has('longLengths') && opcode < 8
    const header =
      payload.length > 65_535 || forced ? long : payload.length > 125 ? short : Buffer.of(first, mask | payload.length)
    this.#socket.write(Buffer.concat([header, Buffer.alloc(mask === 0 ? 0 : 4), payload]))
  }
}
