// What is agreed on about compression by the options of ws. The rules of ws are stricter than the core's
// (protocol/permessageDeflate.ts): one parameter that is wrong makes the whole header wrong, and an offer may be refused.
import type { ZlibOptions } from 'node:zlib'
import { deflateQuantities, windowQuantities } from '../checks/quantities.js'
import { heapOfThread } from '../codec/codec.js'
import { type Agreed, agreedOn } from '../connection/deflateAgreements.js'
import type { DeflateSettings } from '../connection/deflateSettings.js'
import { encoderOfThread } from '../connection/sending/encoder.js'
import { Windows } from '../memory/windows.js'
import { LEAST_WINDOW_BITS, MOST_WINDOW_BITS } from '../protocol/permessageDeflate.js'
import type { Role } from '../protocol/role.js'
import type { Parameters } from './extension.js'
import { type Compressed, HandDeflation, HandInflation, type StreamFacts } from './handCompression.js'

/** The option `perMessageDeflate`. What concerns zlib (`zlibDeflateOptions`, `concurrencyLimit`, …) has no effect on connections. */
export interface PerMessageDeflateOptions {
  readonly serverNoContextTakeover?: boolean | undefined
  readonly clientNoContextTakeover?: boolean | undefined
  readonly serverMaxWindowBits?: number | boolean | undefined
  readonly clientMaxWindowBits?: number | boolean | undefined
  /** Messages with fewer bytes are sent as they are, where the server takes no context over. Default: 1024. */
  readonly threshold?: number | undefined
  readonly isServer?: boolean | undefined
  /** The longest message that `decompress` takes, in bytes; 0, the default, is any length. */
  readonly maxPayload?: number | undefined
  /** Options of zlib, for `compress` and `decompress` alone. */
  readonly zlibDeflateOptions?: ZlibOptions | undefined
  readonly zlibInflateOptions?: ZlibOptions | undefined
}

/** The parameters of one offer or of an answer, by their names in the header. */
export type Parameterized = Record<string, true | number>

const SERVER_NO_CONTEXT = 'server_no_context_takeover'
const CLIENT_NO_CONTEXT = 'client_no_context_takeover'
const SERVER_BITS = 'server_max_window_bits'
const CLIENT_BITS = 'client_max_window_bits'
const THRESHOLD = 1024

/** Thresholds are the application's: it may have a new one for each connection. */
const MOST_KNOWN = 1024

/** All connections of this room share the bound over their windows. */
const windows = new Windows(deflateQuantities.memory.byDefault)

/** By what they say, and the words for that: connections that have agreed on the same share all but their windows. */
const known = new Map<string, Agreed>()

/** Where they come from. */
interface Origin {
  readonly isServer: boolean
  readonly threshold: number
  readonly params: Parameterized
}

const origins = new WeakMap<Agreed, Origin>()

function agreedFor(role: Role, settings: Omit<DeflateSettings, 'windows'>, { threshold, params }: Origin): Agreed {
  const key = JSON.stringify([role, settings, threshold, params])
  const parts = { encoder: encoderOfThread(role), heap: heapOfThread() }
  const agreed = known.get(key) ?? agreedOn(parts, { ...settings, windows }, '')
  if (known.size < MOST_KNOWN) known.set(key, agreed)
  return agreed
}

export class PerMessageDeflate {
  /** What was agreed on; null before `accept`. */
  params: Parameterized | null = null
  readonly _isServer: boolean
  readonly _threshold: number
  readonly _maxPayload: number
  readonly #options: PerMessageDeflateOptions
  #deflation: HandDeflation | undefined
  #inflation: HandInflation | undefined

  constructor(options: PerMessageDeflateOptions = {}) {
    this.#options = options
    this._isServer = Boolean(options.isServer)
    this._threshold = options.threshold ?? THRESHOLD
    this._maxPayload = Number(options.maxPayload) | 0
  }

  /** One that has agreed on this, for messages of so many bytes. */
  static of(agreed: Agreed, maxPayload: number): PerMessageDeflate {
    const { isServer, threshold, params } = origins.get(agreed) ?? {}
    const made = new PerMessageDeflate({ isServer, threshold, maxPayload })
    made.params = { ...params }
    return made
  }

  static get extensionName(): string {
    return 'permessage-deflate'
  }

  /** The parameters that a client offers. */
  offer(): Parameterized {
    const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = this.#options
    const offered: Parameterized = {}
    if (serverNoContextTakeover) offered[SERVER_NO_CONTEXT] = true
    if (clientNoContextTakeover) offered[CLIENT_NO_CONTEXT] = true
    if (serverMaxWindowBits) offered[SERVER_BITS] = serverMaxWindowBits
    if (clientMaxWindowBits) offered[CLIENT_BITS] = clientMaxWindowBits
    else if (clientMaxWindowBits === undefined || clientMaxWindowBits === null) offered[CLIENT_BITS] = true
    return offered
  }

  /** Agrees on one of a client's offers, or on a server's answer. Throws an Error where none can be accepted. */
  accept(configurations: readonly Parameters[]): Parameterized {
    const read = configurations.map((parameters) => this.#normalized(parameters))
    this.params = this._isServer ? this.#acceptOffer(read) : this.#acceptAnswer(read[0] ?? {})
    return this.params
  }

  /** What the core is told of it. Valid after `accept`. */
  get agreed(): Agreed {
    const params = this.params ?? {}
    const serverNoContextTakeover = params[SERVER_NO_CONTEXT] === true
    const parameters = {
      serverNoContextTakeover,
      clientNoContextTakeover: params[CLIENT_NO_CONTEXT] === true,
      serverMaxWindowBits: bitsOf(params[SERVER_BITS], this._isServer),
      clientMaxWindowBits: bitsOf(params[CLIENT_BITS], !this._isServer),
    }
    const startsAnew = params[this._isServer ? SERVER_NO_CONTEXT : CLIENT_NO_CONTEXT] === true
    const threshold = startsAnew ? this._threshold : 0
    const origin = { isServer: this._isServer, threshold: this._threshold, params }
    const agreed = agreedFor(this._isServer ? 'server' : 'client', { parameters, level: 'fast', threshold }, origin)
    if (!origins.has(agreed)) origins.set(agreed, origin)
    return agreed
  }

  /** Whether a message of so many bytes is compressed. Valid after `accept`. */
  compresses(length: number): boolean {
    const startsAnew = this.params?.[this._isServer ? SERVER_NO_CONTEXT : CLIENT_NO_CONTEXT] === true
    return !startsAnew || length >= this._threshold
  }

  /** Whether there is memory for the windows of one more connection. */
  get hasRoom(): boolean {
    return windows.hasRoom(this.agreed.inflation.bytes)
  }

  /** Compresses a message, or a part of one where it is not `fin`. Valid after `accept`, one call at a time. */
  compress(data: string | Uint8Array, fin: boolean, callback: Compressed): void {
    this.#deflation ??= new HandDeflation(this.#facts(this._isServer, this.#options.zlibDeflateOptions))
    this.#deflation.compress(data, fin, callback)
  }

  /** Inflates a message, or a part of one where it is not `fin`. Valid after `accept`, one call at a time. */
  decompress(data: Uint8Array, fin: boolean, callback: Compressed): void {
    this.#inflation ??= new HandInflation(
      this.#facts(!this._isServer, this.#options.zlibInflateOptions),
      this._maxPayload,
    )
    this.#inflation.decompress(data, fin, callback)
  }

  /** Releases what `compress` and `decompress` hold: a connection gives its windows back by itself. */
  cleanup(): void {
    this.#inflation?.close()
    this.#inflation = undefined
    this.#deflation?.close()
    this.#deflation = undefined
  }

  /** How messages of the server, or of the client, are compressed. */
  #facts(ofServer: boolean, options: ZlibOptions | undefined): StreamFacts {
    const params = this.params ?? {}
    const bits = params[ofServer ? SERVER_BITS : CLIENT_BITS]
    const startsAnew = params[ofServer ? SERVER_NO_CONTEXT : CLIENT_NO_CONTEXT] === true
    return { options, windowBits: typeof bits === 'number' ? bits : MOST_WINDOW_BITS, startsAnew }
  }

  #acceptOffer(offers: readonly Parameterized[]): Parameterized {
    const offer = offers.find((one) => this.#allows(one))
    if (offer === undefined) throw new Error('None of the extension offers can be accepted')
    const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = this.#options
    if (serverNoContextTakeover) offer[SERVER_NO_CONTEXT] = true
    if (clientNoContextTakeover) offer[CLIENT_NO_CONTEXT] = true
    if (typeof serverMaxWindowBits === 'number') offer[SERVER_BITS] = serverMaxWindowBits
    if (typeof clientMaxWindowBits === 'number') offer[CLIENT_BITS] = clientMaxWindowBits
    else if (offer[CLIENT_BITS] === true || clientMaxWindowBits === false) delete offer[CLIENT_BITS]
    return offer
  }

  /** Whether an offer leaves the server what its options ask for. */
  #allows(offer: Parameterized): boolean {
    const { serverNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = this.#options
    if (serverNoContextTakeover === false && offer[SERVER_NO_CONTEXT] !== undefined) return false
    const serverBits = Number(offer[SERVER_BITS] ?? MOST_WINDOW_BITS)
    if (serverMaxWindowBits === false && offer[SERVER_BITS] !== undefined) return false
    if (typeof serverMaxWindowBits === 'number' && SERVER_BITS in offer && serverMaxWindowBits > serverBits)
      return false
    if (typeof clientMaxWindowBits !== 'number') return true
    const clientBits = offer[CLIENT_BITS]
    return typeof clientBits === 'number' ? !(clientMaxWindowBits > clientBits) : clientBits === true // NaN is no more
  }

  #acceptAnswer(answer: Parameterized): Parameterized {
    const { clientNoContextTakeover, clientMaxWindowBits } = this.#options
    if (clientNoContextTakeover === false && answer[CLIENT_NO_CONTEXT] !== undefined) {
      throw new Error(`Unexpected parameter "${CLIENT_NO_CONTEXT}"`)
    }
    const bits = answer[CLIENT_BITS]
    if (bits === undefined) {
      if (typeof clientMaxWindowBits === 'number') answer[CLIENT_BITS] = clientMaxWindowBits
      return answer
    }
    const most = typeof clientMaxWindowBits === 'number' ? clientMaxWindowBits : Infinity
    if (clientMaxWindowBits === false || Number(bits) > most) {
      throw new Error(`Unexpected or invalid parameter "${CLIENT_BITS}"`)
    }
    return answer
  }

  /** The parameters with one value each. Throws for what is unknown, repeated, or has a wrong value. */
  #normalized(parameters: Parameters): Parameterized {
    const read: Parameterized = {}
    for (const [name, values] of Object.entries(parameters)) {
      const [value = true] = values
      if (values.length > 1) throw new Error(`Parameter "${name}" must have only a single value`)
      read[name] = this.#valueOf(name, value)
    }
    return read
  }

  #valueOf(name: string, value: string | true): true | number {
    if (name === SERVER_NO_CONTEXT || name === CLIENT_NO_CONTEXT) {
      if (value === true) return true
    } else if (name !== SERVER_BITS && name !== CLIENT_BITS) throw new Error(`Unknown parameter "${name}"`)
    else if (value !== true) {
      const bits = Number(value)
      if (Number.isInteger(bits) && bits >= LEAST_WINDOW_BITS && bits <= MOST_WINDOW_BITS) return bits
    } else if (name === CLIENT_BITS && this._isServer) return true
    throw new TypeError(`Invalid value for parameter "${name}": ${value}`)
  }
}

/**
 * The window of one direction. One of our own may be smaller than what was agreed on, and takes less memory then. A program's
 * options may ask for windows that there are not: the answer has their words, but the window is the nearest that there is.
 */
function bitsOf(agreed: true | number | undefined, isOurs: boolean): number {
  if (typeof agreed === 'number')
    return Math.max(LEAST_WINDOW_BITS, Math.min(Math.ceil(agreed), MOST_WINDOW_BITS)) || MOST_WINDOW_BITS
  return isOurs ? windowQuantities.server.byDefault : MOST_WINDOW_BITS
}
