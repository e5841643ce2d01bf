// The opening handshake over HTTP/2, for streams of this server's own sessions and of an http2 server that the application
// has: an extended CONNECT request goes through the same gate as any upgrade, and its stream becomes the transport.
import { Buffer } from 'node:buffer'
import type { ServerHttp2Stream } from 'node:http2'
import type { Budget } from '../../memory/budget.js'
import type { Counts } from '../../metrics/counts.js'
import {
  acceptanceFields,
  checkConnect,
  type Fields,
  refusalFields,
  requestIn,
} from '../../protocol/extendedConnect.js'
import type { Refusal } from '../../protocol/openingHandshake.js'
import type { Source } from '../../protocol/upgradeRequest.js'
import { type Deadlines, type Expiring, noDeadline } from '../../time/deadlines.js'
import { afterEnd, Http2Transport } from '../../transport/http2Stream.js'
import { keepWrites } from '../../transport/keptWrites.js'
import type { Arrival, Arrivals } from '../admission/arrivals.js'
import type { UpgradeVerdict } from '../admission/endpoint.js'
import type { Decision, Gate } from '../admission/gate.js'
import type { ReadAnswer } from '../admission/upgradeAnswer.js'
import { CROWDED, PendingUpgrade } from './pendingUpgrade.js'
import { tellRefusal } from './refused.js'
import type { Respond } from './responseHead.js'
import type { Upgraded } from './upgraded.js'

export interface StreamUpgradesOptions {
  readonly gate: Gate
  readonly counts: Counts
  readonly deadlines: Deadlines
  readonly budget: Budget
  readonly arrivals: Arrivals
  /** Times in milliseconds. */
  readonly handshakeTimeout: number
  readonly pauseTimeout: number
  readonly closeTimeout: number
  readonly publicApi: boolean
  readonly upgraded: Upgraded
}

/** Error codes (RFC 9113, section 7). */
const NO_ERROR = 0
const INTERNAL_ERROR = 2
const CANCEL = 8

/** Bytes that a stream of node:http2 costs. */
const STREAM_COST = 4096

const NOTHING = Buffer.alloc(0)

export class StreamUpgrades {
  readonly #options: StreamUpgradesOptions
  readonly #pending = new Set<PendingUpgrade>()

  constructor(options: StreamUpgradesOptions) {
    this.#options = options
  }

  /** Refuses what waits for its answer. */
  close(): void {
    for (const pending of this.#pending) pending.cancel()
  }

  /** A request of a stream; `given` is the answer, if there is one. `opened` is called when it has become a connection. */
  take(
    stream: ServerHttp2Stream,
    fields: Fields,
    source: Source,
    { given, opened }: { readonly given?: ReadAnswer | undefined; readonly opened?: () => void } = {},
  ): void {
    // An error without a listener would end the process; what it means for the connection comes with 'close'.
    stream.on('error', () => undefined)
    if (stream.destroyed) return
    const refusal = checkConnect(fields, stream.endAfterHeaders)
    if (refusal !== undefined) return this.refuse(stream, refusal, source)
    const decision = this.#options.gate.decide(requestIn(fields), undefined, source, given)
    const { verdict } = decision
    const settle = (settled: UpgradeVerdict, early: Buffer): void =>
      this.#settle(settled, stream, early, { source, opened })
    if (verdict instanceof Promise) this.#wait(decision, stream, sizeOf(fields), source, settle)
    else settle(verdict, NOTHING)
  }

  /** Answers, and makes sure that the stream ends even if the peer doesn't take the answer. */
  refuse(stream: ServerHttp2Stream, refusal: Refusal, source: Source): void {
    const { counts, deadlines, closeTimeout } = this.#options
    if (stream.destroyed || stream.closed) return
    if (stream.headersSent) return stream.close(INTERNAL_ERROR)
    tellRefusal(counts, refusal, () => source.remoteAddress)
    const late: Expiring = { ...noDeadline, expired: () => stream.close(CANCEL) }
    deadlines.set(late, closeTimeout)
    stream.on('close', () => deadlines.clear(late))
    keepWrites(stream)
    stream.respond(refusalFields(refusal))
    // The peer need not end what it has begun (RFC 9113, section 8.1).
    stream.end(refusal.reason, () => afterEnd(() => stream.closed || stream.close(NO_ERROR)))
    stream.resume()
  }

  #settle(
    verdict: UpgradeVerdict,
    stream: ServerHttp2Stream,
    early: Buffer,
    { source, opened }: { readonly source: Source; readonly opened: (() => void) | undefined },
  ): void {
    if (stream.destroyed || stream.closed) return // the peer has left
    if ('status' in verdict) return this.refuse(stream, verdict, source)
    const { opening, headers } = verdict
    const respond: Respond = () => {
      // A stream that ended with its response would be a connection that has ended.
      stream.respond(acceptanceFields(opening.protocol, headers), { endStream: false })
    }
    opened?.()
    const transport = new Http2Transport(stream, () => source.remoteAddress, this.#options.publicApi)
    const refusal = this.#options.upgraded(transport, verdict, early, respond)
    if (refusal !== undefined) this.refuse(stream, refusal, source)
  }

  /** The application has promised an answer: what comes meanwhile is kept, and it is noticed if the peer leaves. */
  #wait(
    decision: Decision,
    stream: ServerHttp2Stream,
    head: number,
    source: Source,
    settle: (verdict: UpgradeVerdict, early: Buffer) => void,
  ): void {
    const { deadlines, arrivals, budget, handshakeTimeout } = this.#options
    const over = (): void => {
      this.#pending.delete(pending)
      arrivals.delete(arrival)
    }
    const onLeave = (): void => {
      over()
      pending.peerLeft('the peer has left')
      if (!stream.closed) stream.close(CANCEL)
    }
    const read = (chunk: Buffer): void => pending.received(chunk)
    const due = deadlines.tickAfter(handshakeTimeout)
    const pending = new PendingUpgrade(
      decision,
      NOTHING,
      { due, head, deadlines, budget, limits: this.#options },
      {
        full: () => stream.pause(),
        settled: (verdict, early) => {
          over()
          stream.off('data', read).off('end', onLeave).off('close', onLeave).pause()
          settle(verdict, early)
        },
      },
    )
    const arrival: Arrival = {
      cost: STREAM_COST,
      get remoteAddress() {
        return source.remoteAddress
      },
      giveWay() {
        pending.cancel(CROWDED)
        return true
      },
    }
    this.#pending.add(pending)
    arrivals.add(arrival)
    stream.on('data', read).on('end', onLeave).on('close', onLeave)
  }
}

/** About how many bytes a request has. */
function sizeOf(fields: Fields): number {
  return Object.entries(fields).reduce((bytes, [name, value]) => bytes + name.length + String(value).length, 0)
}
