// One route, or the server's own handlers: decides on requests, and holds what its connections share.
import { callerError } from '../../checks/errors.js'
import { isThenable } from '../../checks/thenable.js'
import { type Agreed, DeflateAgreements } from '../../connection/deflateAgreements.js'
import { type DeflateSettings, deflateSettings } from '../../connection/deflateSettings.js'
import {
  type LargeRoute,
  type Opening,
  openRoute,
  type RouteContext,
  type ServerParts,
  streamThresholdOf,
} from '../../connection/shared.js'
import { report, tell } from '../../internals/report.js'
import { Pool } from '../../pool/pool.js'
import {
  type HandshakeRequest,
  type HeaderFields,
  offeredProtocols,
  type Refusal,
  refuse,
} from '../../protocol/openingHandshake.js'
import { isFromHost } from '../../protocol/origin.js'
import { readTarget } from '../../protocol/requestTarget.js'
import { requestInternals, type UpgradeRequest } from '../../protocol/upgradeRequest.js'
import type { Interposed } from '../../transport/transport.js'
import { type AnyRoute, type InsideRoute, limitsOf, type ServerLimits } from '../options.js'
import { type AcceptedAnswer, type ReadAnswer, readAnswer } from './upgradeAnswer.js'

/** A request that may open a connection. */
export interface AcceptedUpgrade {
  readonly shared: RouteContext<unknown>
  readonly opening: Opening<unknown>
  /** Headers that the application gives the response. */
  readonly headers: HeaderFields
  /** What stands between the connection and its transport. */
  readonly interposed?: Interposed
}

export type UpgradeVerdict = AcceptedUpgrade | Refusal

/** What a client offers, as its request says before the application sees that: what it does to the headers changes nothing. */
interface Offered {
  readonly protocols: readonly string[]
  readonly extensions: string | undefined
}

/** The verdict on a request for which nobody waits any more. */
const GONE = refuse(503, 'too late')

/** Options of the server that its routes inherit. */
type RouteDefaults = Pick<AnyRoute, 'outputPolicy' | 'origins' | 'protocols' | 'deflate' | 'upgradeFailed'>

export class Endpoint {
  readonly #options: AnyRoute
  /** The server's options that hold where the route has none of its own; above all those that keep strangers out. */
  readonly #inherited: RouteDefaults
  readonly #shared: RouteContext<unknown>
  readonly #parts: ServerParts<unknown>
  readonly #deflate: DeflateSettings | undefined
  readonly #agreements: DeflateAgreements | undefined
  readonly #inside: InsideRoute

  /** `base` is the server's own handlers and options, for a route. */
  constructor(
    options: AnyRoute,
    limits: ServerLimits,
    parts: ServerParts<unknown>,
    base: RouteDefaults = {},
    inside: InsideRoute = {},
  ) {
    const { outputPolicy = base.outputPolicy ?? 'pause', streamLeft = 'drain' } = options
    const own = limitsOf(options, limits)
    this.#options = options
    this.#inherited = base
    this.#inside = inside
    this.#parts = parts
    this.#deflate = deflateSettings(options.deflate, deflateSettings(base.deflate, undefined))
    this.#agreements = this.#deflate && new DeflateAgreements(parts, this.#deflate)
    const streamThreshold = streamThresholdOf(options, own.maxMessage)
    const large = largeOf(options, parts)
    this.#shared = openRoute(parts, options, { limits: own, outputPolicy, large, streamThreshold, streamLeft })
  }

  /** Loads the module of the option `large`; rejects with the error if it can't be loaded. */
  async check(): Promise<void> {
    if (this.#inside.trusted !== true) await this.#shared.large?.pool.check()
  }

  /** Closes the pool of threads, if there is one. */
  async close(): Promise<void> {
    await this.#shared.large?.pool.close()
  }

  /** Whether it serves anything: a server with routes may have nothing else. */
  get serves(): boolean {
    const { upgrade, open, message, stream } = this.#options
    return [upgrade, open, message, stream].some((handler) => handler !== undefined)
  }

  /** Whether the application is asked about each request. */
  get asks(): boolean {
    return this.#options.upgrade !== undefined
  }

  /**
   * Decides on a request that keeps section 4.2.1; `given` is the answer, where `upgrade` need not be asked. Never
   * throws or rejects: what `upgrade` does is an answer.
   */
  decide(
    head: HandshakeRequest,
    request: UpgradeRequest,
    given: ReadAnswer | undefined,
  ): UpgradeVerdict | Promise<UpgradeVerdict> {
    const protocols = offeredProtocols(head.headers['sec-websocket-protocol'])
    if (protocols === undefined) return refuse(400, 'the Sec-WebSocket-Protocol header must name tokens, each once')
    const offered = { protocols, extensions: head.headers['sec-websocket-extensions'] }
    if (!this.#allows(head)) return refuse(403, 'this origin may not connect')
    const { upgrade } = this.#options
    try {
      if (given !== undefined) return this.#obey(request, offered, given)
      if (upgrade === undefined) return this.#judge(request, offered, undefined)
      const answer = upgrade.call(this.#options, request)
      if (!isThenable(answer)) return this.#judge(request, offered, answer)
      return Promise.resolve(answer)
        .then((settled) => this.#judge(request, offered, settled))
        .catch((error: unknown) => (requestInternals.gaveUp(request, error) ? GONE : this.failed(request, error)))
    } catch (error) {
      return this.failed(request, error)
    }
  }

  /** Tells the application that its `upgrade` failed. */
  failed(request: UpgradeRequest, error: unknown, refusal = refuse(500, 'the upgrade failed')): Refusal {
    const { upgradeFailed = this.#inherited.upgradeFailed } = this.#options
    if (upgradeFailed === undefined) report(error)
    else tell(() => upgradeFailed.call(this.#options, request, error))
    return refusal
  }

  #allows({ target, headers }: HandshakeRequest): boolean {
    const { origins = this.#inherited.origins } = this.#options
    const origin = headers['origin']
    if (origins === undefined || origin === undefined) return true
    return origins.some((allowed) => {
      if (allowed === 'self') return isFromHost(origin, readTarget(target).authority ?? headers['host'] ?? '')
      // Not `test`, which goes on where it left off last time if the pattern is global or sticky.
      return typeof allowed === 'string' ? allowed === origin : origin.search(allowed) >= 0
    })
  }

  /** Makes a verdict of what `upgrade` answered; throws a TypeError for what is no answer. */
  #judge(request: UpgradeRequest, offered: Offered, answer: unknown): UpgradeVerdict {
    return this.#obey(request, offered, readAnswer(answer))
  }

  /** Makes a verdict of an answer; throws a TypeError for a subprotocol that the client does not offer. */
  #obey(request: UpgradeRequest, { protocols, extensions }: Offered, read: ReadAnswer): UpgradeVerdict {
    if ('status' in read) return refuse(read.status, read.body, read.headers)
    const verdict = this.#accept(request, protocols, read)
    return extensions === undefined ? verdict : withDeflate(verdict, this.#agreementsFor(read)?.agree(extensions))
  }

  /** What `upgrade` says of compression goes before what the route says. */
  #agreementsFor({ deflate }: AcceptedAnswer): DeflateAgreements | undefined {
    if (deflate === undefined) return this.#agreements
    const settings = deflateSettings(deflate, this.#deflate)
    return settings && new DeflateAgreements(this.#parts, settings)
  }

  #accept(request: UpgradeRequest, offered: readonly string[], answer: AcceptedAnswer): AcceptedUpgrade {
    const { protocols = this.#inherited.protocols } = this.#options
    const { data, headers, protocol = protocols?.find((one) => offered.includes(one)) ?? '' } = answer
    // Section 4.2.2: the server may only choose among what the client offers.
    if (protocol !== '' && !offered.includes(protocol)) {
      throw callerError('ERR_UPGRADE_PROTOCOL', `the client does not offer the subprotocol ${JSON.stringify(protocol)}`)
    }
    const { expiresAt } = answer
    const opening = expiresAt === undefined ? { request, data, protocol } : { request, data, protocol, expiresAt }
    const accepted = { shared: this.#shared, opening, headers }
    const { interposed } = this.#inside
    return interposed === undefined ? accepted : { ...accepted, interposed }
  }
}

/** The same, with what is agreed on about compression. */
function withDeflate(accepted: AcceptedUpgrade, deflate: Agreed | undefined): AcceptedUpgrade {
  if (deflate === undefined) return accepted
  const { opening, headers } = accepted
  const extensions = { 'Sec-WebSocket-Extensions': deflate.answer }
  return { ...accepted, opening: { ...opening, deflate }, headers: { ...headers, ...extensions } }
}

function largeOf({ large }: AnyRoute, { counts }: ServerParts<unknown>): LargeRoute<unknown> | undefined {
  if (large === undefined) return undefined
  return { pool: new Pool(large, counts), context: (connection) => large.context?.(connection) }
}
