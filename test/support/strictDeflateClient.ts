// The strictest client there is of a server that compresses: it reads the answer of the opening handshake to the letter of
// RFC 7692, section 7.1, takes no frame that RFC 6455 or section 6 does not allow, and inflates with no more than what was
// agreed on. What is wrong rejects whatever is awaited.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { BINARY, buildFrame, CONTINUATION, TEXT } from './frames.js'
import { upgradeRequest } from './httpRequests.js'
import { StrictParser, type Taker } from './strictParser.js'
import { ZlibDeflating, ZlibInflating } from './zlibStreams.js'

/** What a client may rely on, by what it has offered and what it was answered. */
export interface StrictAgreement {
  readonly serverNoContextTakeover: boolean
  readonly clientNoContextTakeover: boolean
  readonly serverMaxWindowBits: number
  readonly clientMaxWindowBits: number
}

const NAME = 'permessage-deflate'
const NAMES = new Set([
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
])

type Parameters = ReadonlyMap<string, string | undefined>

/** An element of the header in its plainest form, which is all that a server need write. */
function parametersIn(element: string): Parameters {
  const [name, ...parts] = element.split('; ')
  assert.equal(name, NAME, element)
  const found = new Map<string, string | undefined>()
  for (const part of parts) {
    const [key = '', value, ...more] = part.split('=')
    assert.ok(NAMES.has(key) && more.length === 0, `the parameter ${part}`)
    assert.ok(!found.has(key), `${key} comes twice`)
    if (key.endsWith('_takeover')) assert.equal(value, undefined, part)
    else if (value !== undefined) assert.match(value, /^([89]|1[0-5])$/, part)
    found.set(key, value)
  }
  return found
}

/**
 * What is agreed by these lines of Sec-WebSocket-Extensions in an answer; undefined if there are none. Throws an
 * AssertionError where the answer says anything that none of the offers allows.
 */
export function strictlyAgreed(offers: readonly string[], lines: readonly string[]): StrictAgreement | undefined {
  assert.ok(lines.length <= 1, `the extensions are answered in ${lines.length} lines`)
  const [line] = lines
  if (line === undefined) return undefined
  assert.ok(!line.includes(','), `more than one extension is answered: ${line}`)
  const answer = parametersIn(line)
  for (const [key, value] of answer) assert.ok(key.endsWith('_takeover') || value !== undefined, `${key} has no value`)
  const allowing = offers.filter((offer) => allows(parametersIn(offer), answer))
  assert.ok(allowing.length > 0, `none of the offers allows the answer ${line}`)
  return {
    serverNoContextTakeover: answer.has('server_no_context_takeover'),
    clientNoContextTakeover: answer.has('client_no_context_takeover'),
    serverMaxWindowBits: Number(answer.get('server_max_window_bits') ?? 15),
    clientMaxWindowBits: Number(answer.get('client_max_window_bits') ?? 15),
  }
}

/** Sections 7.1.1.1 to 7.1.2.2: what was asked for is granted, and what was not offered is not demanded. */
function allows(offer: Parameters, answer: Parameters): boolean {
  const bits = (of: Parameters, key: string): number => Number(of.get(key) ?? 15)
  if (offer.has('server_no_context_takeover') && !answer.has('server_no_context_takeover')) return false
  if (offer.has('server_max_window_bits')) {
    if (!answer.has('server_max_window_bits')) return false
    if (bits(answer, 'server_max_window_bits') > bits(offer, 'server_max_window_bits')) return false
  }
  if (!answer.has('client_max_window_bits')) return true
  if (!offer.has('client_max_window_bits')) return false
  return bits(answer, 'client_max_window_bits') <= bits(offer, 'client_max_window_bits')
}

/** A message of the server. */
export interface StrictMessage {
  readonly isText: boolean
  readonly payload: Buffer
}

/** What the server sends besides messages. */
export interface StrictControl {
  readonly kind: 'ping' | 'pong' | 'close'
  readonly payload: Buffer
}

export class StrictDeflateClient implements Taker {
  readonly socket: Socket
  readonly agreement: StrictAgreement | undefined
  readonly controls: StrictControl[] = []
  /** How many bytes the server has sent since the handshake. */
  wire = 0
  readonly #deflating: ZlibDeflating | undefined
  readonly #inflating: ZlibInflating | undefined
  readonly #parser: StrictParser
  readonly #messages: StrictMessage[] = []
  #wrong: Error | undefined
  #over = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket, agreement: StrictAgreement | undefined, level: number) {
    this.socket = socket
    this.agreement = agreement
    if (agreement !== undefined) {
      // zlib deflates with no smaller window than one of 9 bits; where 8 were agreed on, only stored blocks are within it.
      const { clientMaxWindowBits: bits, clientNoContextTakeover, serverMaxWindowBits } = agreement
      this.#deflating = new ZlibDeflating(bits === 8 ? 0 : level, Math.max(9, bits), !clientNoContextTakeover)
      this.#inflating = new ZlibInflating(serverMaxWindowBits, !agreement.serverNoContextTakeover)
    }
    const inflating = this.#inflating
    this.#parser = new StrictParser(this, () => inflating && ((payload) => inflating.message(payload)))
    socket.on('data', (chunk: Buffer) => {
      this.wire += chunk.length
      this.#parser.take(chunk)
      this.#wake?.()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#over = true
      this.#wake?.()
    })
  }

  /** Connects to a server of this machine, and offers. `level` is that of zlib, with which it compresses. */
  static async open(port: number, offers: readonly string[], level = 6): Promise<StrictDeflateClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    socket.write(upgradeRequest({ 'Sec-WebSocket-Extensions': offers.length > 0 ? offers.join(', ') : undefined }))
    let head = ''
    while (!head.includes('\r\n\r\n')) head += String((await once(socket, 'data'))[0])
    assert.match(head, /^HTTP\/1\.1 101 /)
    const lines = [...head.matchAll(/^sec-websocket-extensions: *(.*?) *\r$/gim)].map(([, value = '']) => value)
    return new StrictDeflateClient(socket, strictlyAgreed(offers, lines), level)
  }

  /** The payload of a message, compressed if that was agreed on, with the window of those before it. */
  compressed(payload: Buffer): Buffer {
    return this.#deflating?.message(payload) ?? payload
  }

  /** The frames of a message, compressed if that was agreed on, in fragments of at most `fragment` bytes (0: of any length). */
  frames(payload: Buffer, isText: boolean, fragment = 0): Buffer {
    const bytes = this.compressed(payload)
    const length = fragment === 0 ? Math.max(bytes.length, 1) : fragment
    const frames: Buffer[] = []
    for (let at = 0; at === 0 || at < bytes.length; at += length) {
      frames.push(
        buildFrame({
          opcode: at > 0 ? CONTINUATION : isText ? TEXT : BINARY,
          payload: bytes.subarray(at, at + length),
          fin: at + length >= bytes.length,
          reserved: at === 0 && this.#deflating !== undefined ? 4 : 0,
          key: Buffer.of(0x21, 0x43, 0x65, 0x87),
        }),
      )
    }
    return Buffer.concat(frames)
  }

  send(payload: Buffer, isText: boolean, fragment = 0): void {
    this.socket.write(this.frames(payload, isText, fragment))
  }

  /** The next message of the server; rejects if it breaks a rule, or the connection ends before. */
  async next(): Promise<StrictMessage> {
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) return message
      if (this.#wrong !== undefined) throw this.#wrong
      if (this.#over) throw new Error(`the connection has ended: ${JSON.stringify(this.controls.at(-1))}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The code with which the server closes; rejects if it does not, or sends anything wrong. */
  async closeCode(): Promise<number> {
    for (;;) {
      const close = this.controls.find(({ kind }) => kind === 'close')
      if (this.#wrong !== undefined) throw this.#wrong
      if (close !== undefined) return close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0)
      if (this.#over) throw new Error('the connection has ended without Close')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Sends a message, and awaits the same. */
  async echo(payload: Buffer, isText: boolean, fragment = 0): Promise<void> {
    this.send(payload, isText, fragment)
    const answer = await this.next()
    assert.equal(answer.isText, isText)
    assert.ok(answer.payload.equals(payload), `${payload.length} bytes came back as ${answer.payload.length} others`)
  }

  destroy(): void {
    this.socket.destroy()
    this.#deflating?.free()
    this.#inflating?.free()
  }

  // What the server sends (Taker).

  message(isText: boolean, payload: Buffer): void {
    this.#messages.push({ isText, payload })
  }

  ping(payload: Buffer): void {
    this.controls.push({ kind: 'ping', payload })
  }

  pong(payload: Buffer): void {
    this.controls.push({ kind: 'pong', payload })
  }

  close(payload: Buffer): void {
    this.controls.push({ kind: 'close', payload })
  }

  broken(rule: string): void {
    this.#wrong ??= new Error(`the server has sent ${rule}`)
  }
}
