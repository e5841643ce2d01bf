// What is agreed on with clients about compression, for the two halves of their connections: each side compresses with its
// own parameters, and inflates with the other's. Connections that have agreed on the same share all but their windows.
import { Buffer } from 'node:buffer'
import type { Heap } from '../codec/codec.js'
import { mostInflaterBytes } from '../codec/inflater.js'
import type { Counts } from '../metrics/counts.js'
import {
  acceptDeflate,
  acceptedDeflate,
  type DeflateParameters,
  deflateOffer,
  MOST_WINDOW_BITS,
} from '../protocol/permessageDeflate.js'
import type { DeflateSettings } from './deflateSettings.js'
import { DeflateTally } from './deflateTally.js'
import type { InflationParameters } from './receiving/inflationParts.js'
import type { DeflationShared } from './sending/deflation.js'
import type { Encoder } from './sending/encoder.js'
import { enginesOf } from './sending/engines.js'

/** What compression needs of its server. */
export interface DeflateParts {
  readonly encoder: Encoder
  readonly heap: Heap
  /** Where the bytes of all connections are counted. */
  readonly counts?: Counts
}

/** What was agreed on, by several connections perhaps. */
export interface Agreed {
  /** The value of Sec-WebSocket-Extensions in the response. */
  readonly answer: string
  readonly inflation: InflationParameters
  readonly deflation: DeflationShared
  /** Where the bytes of one connection are counted. */
  readonly tally?: DeflateTally
}

/** Offers that are kept, and the longest of them: a client may say anything. */
const MOST_KEPT = 64
const LONGEST_KEPT = 256

/** What one connection has agreed on, and its tally: one object, as there may be a million of them. */
class CountedAgreement extends DeflateTally implements Agreed {
  readonly #agreed: Agreed

  constructor(agreed: Agreed, counts: Counts | undefined) {
    super(counts)
    this.#agreed = agreed
  }

  get answer(): string {
    return this.#agreed.answer
  }

  get inflation(): InflationParameters {
    return this.#agreed.inflation
  }

  get deflation(): DeflationShared {
    return this.#agreed.deflation
  }

  get tally(): DeflateTally {
    return this
  }
}

export class DeflateAgreements {
  readonly #parts: DeflateParts
  readonly #settings: DeflateSettings
  /** By what they say: there are few hundreds of ways to agree. */
  readonly #known = new Map<string, Agreed>()
  /** By what clients offer: most offer one of a few things, and to read that makes 1.7 KB of objects. */
  #byOffers: Map<string, Agreed> | undefined

  constructor(parts: DeflateParts, settings: DeflateSettings) {
    this.#parts = parts
    this.#settings = settings
  }

  /**
   * What is agreed on with a client that offers this; undefined where none of its offers can be accepted, or no memory is
   * left for one more window.
   */
  agree(offers: string): Agreed | undefined {
    const agreed = this.#byOffers?.get(offers) ?? this.#read(offers)
    if (agreed === undefined) return undefined
    return this.#settings.windows.hasRoom(agreed.inflation.bytes) ? this.#counted(agreed) : undefined
  }

  #read(offers: string): Agreed | undefined {
    const agreement = acceptDeflate(offers, this.#settings.parameters)
    if (agreement === undefined) return undefined
    const key = JSON.stringify(agreement)
    const agreed = this.#known.get(key) ?? this.#agreed(agreement.parameters, agreement.answer)
    this.#known.set(key, agreed)
    if (offers.length <= LONGEST_KEPT) {
      if (this.#byOffers === undefined || this.#byOffers.size >= MOST_KEPT) this.#byOffers = new Map()
      this.#byOffers.set(Buffer.from(offers).toString(), agreed) // a copy: this may be a part of a whole head
    }
    return agreed
  }

  /** What a client offers; undefined where no memory is left for one more window. */
  get offer(): string | undefined {
    const { parameters, windows } = this.#settings
    return windows.hasRoom(mostInflaterBytes(MOST_WINDOW_BITS)) ? deflateOffer(parameters) : undefined
  }

  /** What holds after a server has answered `offer` with this; undefined for an answer that breaks a rule. */
  accept(answer: string): Agreed | undefined {
    const parameters = acceptedDeflate(answer, deflateOffer(this.#settings.parameters))
    if (parameters === undefined) return undefined
    const key = JSON.stringify(parameters)
    const agreed = this.#known.get(key) ?? this.#agreed(parameters, answer)
    this.#known.set(key, agreed)
    return this.#counted(agreed)
  }

  #counted(agreed: Agreed): Agreed {
    return new CountedAgreement(agreed, this.#parts.counts)
  }

  #agreed(parameters: DeflateParameters, answer: string): Agreed {
    return agreedOn(this.#parts, { ...this.#settings, parameters }, answer)
  }
}

/** What the two halves of a connection are told of the parameters in `settings`, which were agreed on. */
export function agreedOn(
  { encoder, heap }: { readonly encoder: Encoder; readonly heap: Heap },
  { parameters, level, threshold, windows }: DeflateSettings,
  answer: string,
): Agreed {
  const server = { takesOver: !parameters.serverNoContextTakeover, windowBits: parameters.serverMaxWindowBits }
  const client = { takesOver: !parameters.clientNoContextTakeover, windowBits: parameters.clientMaxWindowBits }
  const [own, theirs] = encoder.role === 'server' ? [server, client] : [client, server]
  return {
    answer,
    inflation: { ...theirs, windows, bytes: theirs.takesOver ? mostInflaterBytes(theirs.windowBits) : 0 },
    deflation: { encoder, heap, ...own, engines: enginesOf(heap, level, own.windowBits), threshold, windows },
  }
}
