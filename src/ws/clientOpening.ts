// The client's side of the opening handshake, as ws does it: what it emits and when, what it is told by its listeners, and
// which error each wrong answer is.
import { randomBytes } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { OutOfMemory } from '../codec/codec.js'
import { acceptKey } from '../protocol/openingHandshake.js'
import type { Agreement, SocketOptions } from './adoption.js'
import { addressMistake, clientAddress, parse } from './clientAddress.js'
import { type ClientOptions, clientOptions, type FullOptions } from './clientOptions.js'
import { type Asking, type Headers, requestFor, requestOptions } from './clientRequest.js'
import { parse as parseExtensions } from './extension.js'
import { PerMessageDeflate } from './perMessageDeflate.js'

const CONNECTING = 0
const CLOSING = 2
const CLOSED = 3

const SUBPROTOCOL = /^[!#$%&'*+\-.0-9A-Z^_`|a-z~]+$/

/** Is given the socket on which the handshake is done, what came with it, and what was agreed on. */
export type Opened = (socket: Duplex, head: Buffer, options: SocketOptions, agreement: Agreement) => void

/** Where the first request went: credentials are meant for that, and for nowhere else. */
interface Origin {
  readonly isIpc: boolean
  readonly isSecure: boolean
  readonly place: string
}

/** The WebSocket of a client. */
interface ClosingEmitter extends EventEmitter {
  emitClose(): void
}

export class ClientOpening {
  /** The address, as it is used now. */
  url: string
  readyState: typeof CONNECTING | typeof CLOSING | typeof CLOSED = CONNECTING
  /** The request under way. */
  request: ClientRequest | null = null
  /** How many redirects have been told. */
  redirects = 0
  readonly #ws: ClosingEmitter
  readonly #protocols: readonly string[]
  readonly #opened: Opened
  #options: ClientOptions
  #origin: Origin | undefined
  readonly #aborted = new WeakSet<ClientRequest>()

  /** Dials. Throws a SyntaxError for an address or subprotocols that are wrong, and what node:http throws. */
  constructor(
    ws: ClosingEmitter,
    address: unknown,
    protocols: readonly string[],
    options: ClientOptions,
    opened: Opened,
  ) {
    this.#ws = ws
    this.#protocols = protocols
    this.#options = options
    this.#opened = opened
    const full = clientOptions(options)
    const url = clientAddress(address)
    this.url = url.href
    const mistake = addressMistake(url)
    if (mistake !== undefined) throw mistake
    this.#dial(url, full)
  }

  /** The program closes it before it is open. */
  abort(): void {
    const message = 'WebSocket was closed before the connection was established'
    if (this.request !== null && this.readyState === CONNECTING) this.#abortRequest(this.request, message)
  }

  #dial(url: URL, options: FullOptions): void {
    checkProtocols(this.#protocols)
    const { perMessageDeflate } = options
    const own = typeof perMessageDeflate === 'object' ? perMessageDeflate : {}
    const deflate = perMessageDeflate ? new PerMessageDeflate({ ...own, isServer: false }) : undefined
    const asking: Asking = {
      options,
      url,
      key: randomBytes(16).toString('base64'),
      protocols: this.#protocols,
      deflate,
    }
    const asked = requestOptions(asking)
    if (options.followRedirects) this.#guard(url, asked)
    const request = requestFor(url, asked)
    this.request = request
    if (this.redirects > 0) this.#ws.emit('redirect', this.url, request)
    if (asked.timeout) {
      request.on('timeout', () => this.#abortRequest(request, 'Opening handshake has timed out'))
    }
    request.on('error', (error) => this.#broken(request, error))
    request.on('response', (response) => this.#answered(request, response, url, options))
    request.on('upgrade', (response, socket, head) => this.#upgraded(asking, response, socket, head))
    if (options.finishRequest) options.finishRequest(request, this.#ws)
    else request.end()
  }

  /** Credentials go nowhere else, unless the program looks at redirects itself. */
  #guard(url: URL, asked: ReturnType<typeof requestOptions>): void {
    const isIpc = url.protocol === 'ws+unix:'
    const isSecure = url.protocol === 'wss:'
    const place = isIpc ? String(asked.socketPath) : url.host
    const headers = asked.headers
    if (this.#origin === undefined) {
      this.#origin = { isIpc, isSecure, place }
      this.#options = { ...this.#options, headers: lowerCased(this.#options.headers as Headers | undefined) }
    } else if (this.#ws.listenerCount('redirect') === 0) {
      const isSame = isIpc === this.#origin.isIpc && place === this.#origin.place
      if (!isSame || (this.#origin.isSecure && !isSecure)) {
        delete headers['authorization']
        delete headers['cookie']
        if (!isSame) delete headers['host']
        asked.auth = undefined
      }
    }
    const own = this.#options.headers as Headers
    // The first Authorization wins, also over the credentials of a later address.
    if (asked.auth && !own['authorization'])
      own['authorization'] = `Basic ${Buffer.from(asked.auth).toString('base64')}`
  }

  #broken(request: ClientRequest, error: Error): void {
    if (this.request !== request || this.#aborted.has(request)) return
    this.request = null
    this.#fail(error)
  }

  #answered(request: ClientRequest, response: IncomingMessage, url: URL, options: FullOptions): void {
    const { statusCode = 0, headers } = response
    const { location } = headers
    if (location && options.followRedirects && statusCode >= 300 && statusCode < 400) {
      this.#redirect(request, location, url, options)
    } else if (!this.#ws.emit('unexpected-response', request, response)) {
      this.#abortRequest(request, `Unexpected server response: ${statusCode}`)
    }
  }

  #redirect(request: ClientRequest, location: string, base: URL, options: FullOptions): void {
    if (++this.redirects > options.maxRedirects) return this.#abortRequest(request, 'Maximum redirects exceeded')
    this.#aborted.add(request)
    request.destroy()
    let url: URL
    try {
      url = clientAddress(parse(location, base))
    } catch (error) {
      return this.#fail(error)
    }
    this.url = url.href
    const mistake = addressMistake(url)
    if (mistake === undefined) this.#dial(url, clientOptions(this.#options))
    else this.#fail(mistake)
  }

  #upgraded(asking: Asking, response: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#ws.emit('upgrade', response)
    if (this.readyState !== CONNECTING) return
    this.request = null
    const problem = this.#problem(asking, response)
    if (problem !== undefined) return this.#abortSocket(socket, problem)
    const { protocols, options, deflate } = asking
    const isDeflated = response.headers['sec-websocket-extensions'] !== undefined
    const protocol = protocols.length > 0 ? (response.headers['sec-websocket-protocol'] ?? '') : ''
    const agreement = { response: '', protocol, deflate: isDeflated ? deflate?.agreed : undefined }
    try {
      this.#opened(socket, head, options, agreement)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      this.#abortSocket(socket, error.message)
    }
  }

  /** What is wrong with a 101 response, in the words of ws. */
  #problem({ key, protocols, deflate }: Asking, { headers }: IncomingMessage): string | undefined {
    if (headers.upgrade?.toLowerCase() !== 'websocket') return 'Invalid Upgrade header'
    if (headers['sec-websocket-accept'] !== acceptKey(key)) return 'Invalid Sec-WebSocket-Accept header'
    return (
      subprotocolProblem(protocols, headers['sec-websocket-protocol']) ??
      extensionsProblem(deflate, headers['sec-websocket-extensions'])
    )
  }

  #abortRequest(request: ClientRequest, message: string): void {
    this.readyState = CLOSING
    const error = new Error(message)
    this.#aborted.add(request)
    request.destroy()
    request.socket?.destroy()
    process.nextTick(() => this.#fail(error))
  }

  #abortSocket(socket: Duplex, message: string): void {
    this.readyState = CLOSING
    socket.once('error', (error) => this.#ws.emit('error', error))
    socket.once('close', () => this.#close())
    socket.destroy(new Error(message))
  }

  #fail(error: unknown): void {
    this.readyState = CLOSING
    this.#ws.emit('error', error)
    this.#close()
  }

  #close(): void {
    this.readyState = CLOSED
    this.#ws.emitClose()
  }
}

/** Throws a SyntaxError for what is no list of different tokens. */
function checkProtocols(protocols: readonly string[]): void {
  const isRight = (protocol: unknown, index: number): boolean =>
    typeof protocol === 'string' && SUBPROTOCOL.test(protocol) && protocols.indexOf(protocol) === index
  if (!protocols.every(isRight)) throw new SyntaxError('An invalid or duplicated subprotocol was specified')
}

function subprotocolProblem(asked: readonly string[], answer: string | undefined): string | undefined {
  if (answer === undefined) return asked.length > 0 ? 'Server sent no subprotocol' : undefined
  if (asked.length === 0) return 'Server sent a subprotocol but none was requested'
  return asked.includes(answer) ? undefined : 'Server sent an invalid subprotocol'
}

function extensionsProblem(deflate: PerMessageDeflate | undefined, answer: string | undefined): string | undefined {
  if (answer === undefined) return undefined
  if (deflate === undefined) return 'Server sent a Sec-WebSocket-Extensions header but no extension was requested'
  try {
    const extensions = parseExtensions(answer)
    const names = Object.keys(extensions)
    const [name = ''] = names
    if (names.length !== 1 || name !== PerMessageDeflate.extensionName)
      return 'Server indicated an extension that was not requested'
    deflate.accept(extensions[name] ?? [])
    return undefined
  } catch {
    return 'Invalid Sec-WebSocket-Extensions header'
  }
}

function lowerCased(headers: Headers = {}): Headers {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
