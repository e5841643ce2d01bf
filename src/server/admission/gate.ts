// Decides on every upgrade, whichever lane it came by: capacity, client address, route, and what the route says.
import { callerError } from '../../checks/errors.js'
import type { Budget } from '../../memory/budget.js'
import type { KeptHead } from '../../protocol/knownHeads.js'
import { type HandshakeRequest, type Refusal, refuse } from '../../protocol/openingHandshake.js'
import { readTarget } from '../../protocol/requestTarget.js'
import { requestInternals, type Source, UpgradeRequest } from '../../protocol/upgradeRequest.js'
import type { Census } from './census.js'
import type { Endpoint, UpgradeVerdict } from './endpoint.js'
import type { TrustedProxies } from './proxies.js'
import type { Routes } from './routes.js'
import type { ReadAnswer } from './upgradeAnswer.js'

export interface GateOptions {
  readonly census: Census
  readonly budget: Pick<Budget, 'refuses'>
  readonly routes: Routes<Endpoint>
  /** For paths without a route. */
  readonly rest: Endpoint
  readonly proxies: TrustedProxies | undefined
}

/** A decision, or the promise of one, and what was decided on. */
export interface Decision {
  readonly request: UpgradeRequest
  readonly endpoint: Endpoint
  readonly verdict: UpgradeVerdict | Promise<UpgradeVerdict>
  /** Asked again when a promised acceptance settles: the refusal, if a limit has been reached meanwhile. */
  refusal?(): Refusal | undefined
}

export class Gate {
  readonly #options: GateOptions
  #closed = false

  constructor(options: GateOptions) {
    this.#options = options
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Admits nobody any more. */
  close(): void {
    this.#closed = true
  }

  /**
   * Decides on a request that keeps section 4.2.1; `kept` is its head, if it can be read again from there, and `given`
   * the answer, if the application has decided already.
   */
  decide(head: HandshakeRequest, kept: KeptHead | undefined, source: Source, given?: ReadAnswer): Decision {
    const { routes, rest, proxies } = this.#options
    const client = proxies?.clientOf(source.remoteAddress, head.headers['x-forwarded-for'])
    const request = new UpgradeRequest(head, kept, source, client)
    const match = routes.empty ? undefined : routes.find(readTarget(head.target).path)
    const endpoint = match?.value ?? rest
    if (match !== undefined) requestInternals.name(request, match.params)
    const refusal = this.refusal(request)
    if (refusal !== undefined) return { request, endpoint, verdict: refusal }
    if (match === undefined && !routes.empty && !rest.serves) {
      return { request, endpoint, verdict: refuse(404, 'nothing is served on this path') }
    }
    const verdict = endpoint.decide(head, request, given)
    if (this.#closed) {
      // `upgrade` itself has closed the server.
      requestInternals.abort(request, callerError('ERR_UPGRADE_ABORTED', 'the server is closing'))
      return { request, endpoint, verdict: this.refusal(request) ?? verdict }
    }
    if (!(verdict instanceof Promise)) return { request, endpoint, verdict }
    return { request, endpoint, verdict, refusal: () => this.refusal(request) }
  }

  /** Why nobody can be admitted now; undefined if somebody can. */
  refusal(request: UpgradeRequest): Refusal | undefined {
    if (this.#closed) return refuse(503, 'the server is closing')
    const { census, budget } = this.#options
    if (budget.refuses(request)) return refuse(503, 'handlers of connections that have ended hold the memory')
    return census.refusal(request)
  }
}
