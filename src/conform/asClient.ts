// Runs a case as a client, against a server.
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { acceptKey, hasToken } from '../protocol/openingHandshake.js'
import { acceptedDeflate, type DeflateParameters } from '../protocol/permessageDeflate.js'
import type { AnswerRule, Case, HeaderChange, Step } from './case.js'
import { Conduct, type Patience } from './conduct.js'
import { broken, type Deviation, lax, skip } from './deviation.js'
import { shownEvent } from './event.js'
import type { Bounds } from './frameReader.js'
import { Inflation } from './inflation.js'
import { Line } from './line.js'
import { decodeHead, encodeFrames, encodeHead, type Head } from './wire.js'

/** Where the server is, and how it is reached. */
export interface Target {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** A Unix socket, in place of host and port. */
  readonly unix?: string
  readonly insecure?: boolean
  /** Certificates of who vouches for the server, as PEM. */
  readonly ca?: Buffer
}

export const PLAIN_OFFER = 'permessage-deflate; client_max_window_bits'

export class Unreachable extends Error {}

/** Opens a TCP or TLS connection. Rejects with an Unreachable. */
export function reach({ url, unix, insecure = false, ca }: Target, milliseconds: number): Promise<Socket> {
  const isSecure = url.protocol === 'wss:'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const place = unix === undefined ? { host, port: Number(url.port) || (isSecure ? 443 : 80) } : { path: unix }
  return new Promise((resolve, reject) => {
    const socket = isSecure
      ? connectTls({
          ...place,
          servername: /^[\d.]+$|:/.test(host) ? '' : host,
          rejectUnauthorized: !insecure,
          ...(ca && { ca }),
        })
      : connectTcp({ ...place, allowHalfOpen: true, noDelay: true })
    const fail = (why: string): void => {
      socket.destroy()
      reject(new Unreachable(why))
    }
    const timer = setTimeout(fail, milliseconds, `no connection within ${milliseconds} ms`)
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve(socket)
    })
    const failed = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer)
      fail(error.message === '' ? (error.code ?? 'unknown') : (error.message.split('\n', 1)[0] ?? ''))
    }
    socket.once('error', failed)
  })
}

/** Runs a case, and returns where the server differs. Rejects with an Unreachable. */
export async function runAsClient(
  one: Case,
  target: Target,
  patience: Patience,
  bounds: Bounds,
): Promise<readonly Deviation[]> {
  const socket = await reach(target, patience.answer)
  const visit = new Visit(new Line(socket, 'server', bounds, Buffer.alloc(0), false), one, target, patience)
  try {
    return await visit.run()
  } finally {
    socket.destroy()
  }
}

class Visit {
  readonly #line: Line
  readonly #case: Case
  readonly #target: Target
  readonly #patience: Patience
  readonly #conduct: Conduct
  readonly #key = randomBytes(16).toString('base64')
  #opened = false

  constructor(line: Line, one: Case, target: Target, patience: Patience) {
    this.#line = line
    this.#case = one
    this.#target = target
    this.#patience = patience
    this.#conduct = new Conduct(line, patience)
  }

  async run(): Promise<readonly Deviation[]> {
    const { bare, steps, deflate } = this.#case
    const begin: readonly Step[] =
      bare === true
        ? []
        : [
            { step: 'request', change: {} },
            { step: 'opened', ...(deflate && { answer: 'deflate' as const }) },
          ]
    const found: Deviation[] = []
    for (const step of [...begin, ...steps]) {
      const deviation = await this.#step(step)
      if (deviation !== undefined) found.push(deviation)
      const last = deviation ?? this.#conduct.deviations.at(-1)
      if (last?.weight === 'rule' || last?.weight === 'skip') return [...found, ...this.#conduct.deviations]
    }
    if (this.#opened) await this.#conduct.farewell()
    return [...found, ...this.#conduct.deviations]
  }

  async #step(step: Step): Promise<Deviation | undefined> {
    switch (step.step) {
      case 'request':
        return this.#request(step)
      case 'opened':
        return this.#open(step.answer)
      case 'refused':
        return this.#refused(step)
      case 'asked':
      case 'respond':
      case 'abandons':
        return skip('it is a case for clients')
      default:
        await this.#conduct.step(step)
        return undefined
    }
  }

  async #request({ change, pieces, behind = [] }: Extract<Step, { step: 'request' }>): Promise<undefined> {
    const { pathname, search } = this.#target.url
    const path = pathname + search
    const line = (change.line ?? 'GET {path} HTTP/1.1').replace('{path}', path)
    const head = encodeHead(line, this.#headers(), { ...change, line })
    const bytes = Buffer.concat([Buffer.from(head, 'latin1'), encodeFrames(behind, true)])
    await this.#line.write(bytes, pieces)
  }

  #headers(): HeaderChange {
    const { deflate } = this.#case
    return {
      Host: this.#target.url.host,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': this.#key,
      'Sec-WebSocket-Version': '13',
      ...(deflate && { 'Sec-WebSocket-Extensions': deflate.offer ?? PLAIN_OFFER }),
      ...this.#target.headers,
    }
  }

  /** Reads the server's head, which must be a right 101. */
  async #open(answer: AnswerRule = 'plain'): Promise<Deviation | undefined> {
    const expected = 'HTTP/1.1 101 and a right handshake (section 4.2.2)'
    const text = await this.#line.takeHead(this.#patience.answer)
    if (typeof text !== 'string')
      return broken(expected, text === undefined ? `nothing within ${this.#patience.answer} ms` : shownEvent(text))
    const head = decodeHead(text)
    // To refuse the whole handshake declines an offer, too, but takes more than was asked for.
    if (answer === 'declines' && /^HTTP\/1\.1 4\d\d/.test(head.line)) return lax('the offer to be declined', head.line)
    const flaw = this.#flawOf(head)
    if (flaw !== undefined) return broken(expected, flaw)
    this.#opened = true
    return this.#extensions(answer, head)
  }

  #flawOf({ line, headers }: Head): string | undefined {
    if (!/^HTTP\/1\.1 101(?: |$)/.test(line)) return line.slice(0, 80)
    if (headers['upgrade']?.toLowerCase() !== 'websocket') return `Upgrade: ${headers['upgrade'] ?? '(missing)'}`
    if (!hasToken(headers['connection'], 'upgrade')) return `Connection: ${headers['connection'] ?? '(missing)'}`
    const accept = headers['sec-websocket-accept']
    return accept === acceptKey(this.#key) ? undefined : `Sec-WebSocket-Accept: ${accept ?? '(missing)'}`
  }

  #extensions(answer: AnswerRule, { headers }: Head): Deviation | undefined {
    const given = headers['sec-websocket-extensions']
    const { 'sec-websocket-protocol': protocol } = headers
    if (answer === 'noProtocol' && protocol !== undefined)
      return broken('no subprotocol that was not offered', `Sec-WebSocket-Protocol: ${protocol}`)
    if (answer !== 'deflate')
      return given === undefined ? undefined : broken('no extension', `Sec-WebSocket-Extensions: ${given}`)
    if (given === undefined) return skip('the server does not accept this offer of permessage-deflate')
    const offer = this.#case.deflate?.offer ?? PLAIN_OFFER
    const agreed = acceptedDeflate(given, offer)
    if (agreed === undefined) return broken(`an answer to ${offer}`, `Sec-WebSocket-Extensions: ${given}`)
    return this.#agree(agreed)
  }

  #agree(agreed: DeflateParameters): Deviation | undefined {
    if (this.#case.deflate?.needs?.(agreed, 'server') === false)
      return skip('the server has agreed on other parameters')
    this.#line.inflateWith(new Inflation(agreed.serverMaxWindowBits, !agreed.serverNoContextTakeover))
    return undefined
  }

  async #refused({ statuses, headers = {} }: Extract<Step, { step: 'refused' }>): Promise<Deviation | undefined> {
    const expected = `HTTP status ${statuses.join(' or ')}`
    const text = await this.#line.takeHead(this.#patience.answer)
    if (text === undefined) return broken(expected, `nothing within ${this.#patience.answer} ms`)
    if (typeof text !== 'string') {
      // To end the connection refuses, too, but does not say why.
      const came = shownEvent(text).replace(', without a Close frame', '')
      return text.kind === 'end' || text.kind === 'lost' ? lax(expected, came) : broken(expected, came)
    }
    const head = decodeHead(text)
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head.line)?.[1] ?? 0)
    if (status === 101 || status === 0) return broken(expected, head.line.slice(0, 80))
    const missing = Object.entries(headers).find(([name, value]) => !hasToken(head.headers[name.toLowerCase()], value))
    if (missing !== undefined) return broken(`${missing.join(': ')} in the refusal`, `status ${status} without it`)
    return statuses.includes(status) ? undefined : lax(expected, `status ${status}`)
  }
}
