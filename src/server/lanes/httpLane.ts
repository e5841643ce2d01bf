// The second lane of the opening handshake: node:http, for every request that is not plain: in pieces, refused,
// with a body, with odd headers, over TLS, or no upgrade at all.
import { AsyncResource } from 'node:async_hooks'
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { answerBefore } from '../../internals/http.js'
import { report } from '../../internals/report.js'
import type { Counts } from '../../metrics/counts.js'
import { checkUpgrade, type HandshakeRequest, headerLines, type Refusal } from '../../protocol/openingHandshake.js'
import { type Expiring, noDeadline } from '../../time/deadlines.js'
import { earlyBytes, transportOf } from '../../transport/adopt.js'
import { type Arrival, addressOf } from '../admission/arrivals.js'
import type { UpgradeVerdict } from '../admission/endpoint.js'
import type { Decision, Gate } from '../admission/gate.js'
import type { ReadAnswer } from '../admission/upgradeAnswer.js'
import { CROWDED, PendingUpgrade } from './pendingUpgrade.js'
import { afterAnswer } from './pipelinedUpgrade.js'
import { tellRefusal } from './refused.js'
import { type Respond, writeAcceptance } from './responseHead.js'
import { sourceOf } from './source.js'
import type { Upgraded } from './upgraded.js'
import { WebServer, type WebServerOptions } from './webServer.js'

export interface HttpLaneOptions extends Omit<WebServerOptions, 'upgrade' | 'refuse'> {
  readonly gate: Gate
  /** Time for a refused peer to end the connection, and for answers under way when the server closes, in milliseconds. */
  readonly closeTimeout: number
  /** Whether only the public API may be used. */
  readonly publicApi: boolean
  /** Where refusals are counted. */
  readonly counts: Counts
  readonly upgraded: Upgraded
}

/** Bytes that a socket of node:net costs. */
const SOCKET_COST = 4096

export class HttpLane {
  readonly #web: WebServer
  readonly #options: HttpLaneOptions
  /** Upgrades that were refused and whose sockets are not closed yet. */
  readonly #refused = new Set<Expiring>()
  readonly #pending = new Set<PendingUpgrade>()

  constructor(options: HttpLaneOptions) {
    this.#options = options
    this.#web = new WebServer({
      ...options,
      upgrade: (message, socket, head, due) => this.upgrade(message, socket, head, due),
      refuse: (socket, refusal) => this.refuse(socket, refusal),
    })
  }

  /** Counts a connection until it ends; ends it, and returns false, if there are too many. */
  admit(socket: Socket): boolean {
    return this.#web.admit(socket)
  }

  /** Serves a connection that was admitted. Its first handshake must be done at the tick `due`, if that is not 0. */
  take(socket: Socket, due: number): void {
    this.#web.take(socket, due)
  }

  /** From now on, each connection ends with its answer. */
  leave(): void {
    this.#web.leave()
  }

  /** Resolves when requests under way are answered, or have had their time. */
  async close(): Promise<void> {
    for (const pending of this.#pending) pending.cancel()
    for (const refused of this.#refused) refused.expired()
    await this.#web.close(this.#options.closeTimeout)
  }

  /** An upgrade request of another's node:http server. It waits for the answers to what the peer has asked for before. */
  handOver(message: IncomingMessage, socket: Duplex, head: Buffer, given: ReadAnswer | undefined): void {
    const answer = answerBefore(message, socket)
    if (answer === undefined) return this.upgrade(message, socket, head, undefined, given)
    const next = AsyncResource.bind((behind: Buffer) => this.handOver(message, socket, behind, given))
    afterAnswer(answer, socket, head, this.#options, next)
  }

  /** An upgrade request of any node:http server, this one's or another's; `given` is the answer, if there is one. */
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer, due = this.#due, given?: ReadAnswer): void {
    // An error without a listener would end the process; what it means for the connection comes with 'close'.
    socket.on('error', () => socket.destroy())
    const request = requestOf(message)
    const refusal = checkUpgrade(request)
    if (refusal !== undefined) return this.refuse(socket, refusal)
    const { gate, clientOf } = this.#options
    const key = request.headers['sec-websocket-key'] ?? '' // before the application is given the headers
    const decision = gate.decide(request, undefined, sourceOf(socket, clientOf(socket)), given)
    const { verdict } = decision
    if (verdict instanceof Promise) this.#wait(decision, socket, head, { due, head: sizeOf(message), key })
    else this.#settle(verdict, socket, head, key)
  }

  /** Until when a handshake must be done that begins now, as a tick. */
  get #due(): number {
    const { deadlines, handshakeTimeout } = this.#options
    return deadlines.tickAfter(handshakeTimeout)
  }

  /** Answers, and makes sure that the socket ends even if the peer doesn't want to. */
  refuse(socket: Duplex, refusal: Refusal): void {
    const { deadlines, arrivals, closeTimeout } = this.#options
    if (socket.destroyed) return
    const { counts, clientOf } = this.#options
    tellRefusal(counts, refusal, () => clientOf(socket) ?? addressOf(socket))
    const refused: Expiring = { ...noDeadline, expired: () => destroy(socket) }
    const arrival = this.#arrivalOf(socket, SOCKET_COST, () => socket.destroy())
    this.#refused.add(refused)
    deadlines.set(refused, closeTimeout)
    if (arrivals.makingRoom) socket.once('finish', () => socket.destroy())
    else arrivals.add(arrival)
    socket.on('close', () => {
      deadlines.clear(refused)
      arrivals.delete(arrival)
      this.#refused.delete(refused)
    })
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    try {
      socket.end(responseTo(refusal))
      socket.resume()
    } catch {
      refused.expired() // a stream of the application's has thrown, which nobody waits for
    }
  }

  #settle(verdict: UpgradeVerdict, socket: Duplex, early: Buffer, key: string): void {
    if (socket.destroyed) return // the peer has left; 'close' will say so later
    if (socket.writableEnded) return destroy(socket) // the application has answered by itself
    if ('status' in verdict) return this.refuse(socket, verdict)
    const transport = transportOf(socket, this.#options.publicApi)
    const respond: Respond = (output) => writeAcceptance(output, key, verdict)
    const refusal = this.#options.upgraded(transport, verdict, earlyBytes(socket, early), respond)
    if (refusal !== undefined) this.refuse(socket, refusal)
  }

  /** Gives a connection its place among the arrivals; `go` ends it if others need the place. */
  #arrivalOf(socket: Duplex, cost: number, go: () => void): Arrival {
    const { clientOf } = this.#options
    return {
      cost,
      get remoteAddress() {
        return clientOf(socket) ?? addressOf(socket)
      },
      giveWay() {
        go()
        return true
      },
    }
  }

  /** The application has promised an answer: what comes meanwhile is kept, and it is noticed if the peer leaves. */
  #wait(decision: Decision, socket: Duplex, early: Buffer, facts: { due: number; head: number; key: string }): void {
    const { deadlines, arrivals, budget } = this.#options
    const over = (): void => {
      this.#pending.delete(pending)
      arrivals.delete(arrival)
    }
    const onLeave = (): void => {
      over()
      pending.peerLeft('the peer has left')
      socket.destroy()
    }
    const read = (chunk: Buffer): void => pending.received(chunk)
    const pending = new PendingUpgrade(
      decision,
      early,
      { ...facts, deadlines, budget, limits: this.#options },
      {
        full: () => socket.pause(),
        settled: (verdict, sent) => {
          over()
          socket.off('data', read).off('end', onLeave).off('close', onLeave).pause()
          this.#settle(verdict, socket, sent, facts.key)
        },
      },
    )
    const arrival = this.#arrivalOf(socket, SOCKET_COST, () => pending.cancel(CROWDED))
    this.#pending.add(pending)
    arrivals.add(arrival)
    socket.on('data', read).on('end', onLeave).on('close', onLeave)
  }
}

/** Streams of the application's may throw even then. */
function destroy(stream: Duplex): void {
  try {
    stream.destroy()
  } catch (error) {
    report(error)
  }
}

/** About how many bytes the head of a request has. */
function sizeOf({ rawHeaders, url = '' }: IncomingMessage): number {
  return rawHeaders.reduce((bytes, part) => bytes + part.length, url.length)
}

function requestOf(message: IncomingMessage): HandshakeRequest {
  const headers: Record<string, string> = Object.create(null)
  const repeated: string[] = []
  const { rawHeaders } = message
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    const value = rawHeaders[at + 1] ?? ''
    const before = headers[name]
    if (before !== undefined) repeated.push(name)
    // Cookies are joined as in one header (RFC 9113, section 8.2.3).
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    httpVersion: message.httpVersion,
    headers,
    repeated,
  }
}

function responseTo({ status, reason, headers }: Refusal): Buffer {
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  const type = names.includes('content-type') ? {} : { 'Content-Type': 'text/plain; charset=utf-8' }
  const length = { 'Content-Length': String(Buffer.byteLength(reason)) }
  // A response with an Upgrade header must name it in Connection (RFC 9110, section 7.8).
  const connection = names.includes('upgrade') ? 'Upgrade, close' : 'close'
  const lines = headerLines({ ...headers, Connection: connection, ...type, ...length })
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(reason)])
}
