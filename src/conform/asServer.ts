// Runs a case as a server, against a client that has come to be tested: it sends every message back, as servers do that are
// tested.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { extensionsIn } from '../protocol/extensions.js'
import { acceptKey, hasToken, isKey } from '../protocol/openingHandshake.js'
import { acceptedDeflate, type DeflateParameters } from '../protocol/permessageDeflate.js'
import type { Case, RequestRule, Step } from './case.js'
import { Conduct, type Patience } from './conduct.js'
import { broken, type Deviation, lax, skip } from './deviation.js'
import { shownEvent } from './event.js'
import type { Bounds } from './frameReader.js'
import { Inflation } from './inflation.js'
import { Line } from './line.js'
import { bytesIn, encodeFrames, encodeHead } from './wire.js'

/** What a client has asked. */
export interface Asked {
  readonly method: string
  readonly httpVersion: string
  /** Names in lower case; the values of a repeated header are joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Runs a case over a stream on which the client waits for the answer to its handshake; returns where the client differs. */
export async function runAsServer(
  one: Case,
  asked: Asked,
  stream: Duplex,
  patience: Patience,
  bounds: Bounds,
): Promise<readonly Deviation[]> {
  const line = new Line(stream, 'client', bounds, Buffer.alloc(0), true)
  try {
    return await new Service(line, one, asked, patience).run()
  } finally {
    line.dispose()
  }
}

class Service {
  readonly #line: Line
  readonly #case: Case
  readonly #asked: Asked
  readonly #patience: Patience
  readonly #conduct: Conduct
  #responded = false
  #extension = ''

  constructor(line: Line, one: Case, asked: Asked, patience: Patience) {
    this.#line = line
    this.#case = one
    this.#asked = asked
    this.#patience = patience
    this.#conduct = new Conduct(line, patience)
  }

  async run(): Promise<readonly Deviation[]> {
    const { bare, steps, deflate } = this.#case
    const first = deflate === undefined ? undefined : this.#agree()
    if (first !== undefined) return [first]
    const begin: readonly Step[] = bare === true ? [] : [{ step: 'respond', change: {} }]
    const found: Deviation[] = []
    let isLast = false
    for (const step of [...begin, ...steps]) {
      const deviation = await this.#step(step)
      if (deviation !== undefined) found.push(deviation)
      isLast = step.step === 'abandons'
      const last = deviation ?? this.#conduct.deviations.at(-1)
      if (last?.weight === 'rule' || last?.weight === 'skip') return [...found, ...this.#conduct.deviations]
    }
    if (this.#responded && !isLast) await this.#conduct.farewell()
    return [...found, ...this.#conduct.deviations]
  }

  async #step(step: Step): Promise<Deviation | undefined> {
    switch (step.step) {
      case 'asked':
        return rules[step.rule](this.#asked) ? undefined : broken(step.rule, JSON.stringify(this.#asked.headers))
      case 'respond':
        return this.#respond(step)
      case 'abandons':
        return this.#abandons()
      case 'request':
      case 'opened':
      case 'refused':
        return skip('it is a case for servers')
      default:
        await this.#conduct.step(step)
        return undefined
    }
  }

  async #respond({ change, pieces, behind = [] }: Extract<Step, { step: 'respond' }>): Promise<undefined> {
    this.#responded = true
    const headers = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': acceptKey(this.#asked.headers['sec-websocket-key'] ?? ''),
      ...(this.#extension === '' ? {} : { 'Sec-WebSocket-Extensions': this.#extension }),
    }
    const head = encodeHead('HTTP/1.1 101 Switching Protocols', headers, change)
    const bytes = Buffer.concat([Buffer.from(head, 'latin1'), encodeFrames(behind, false)])
    await this.#line.write(bytes, pieces)
  }

  /** A client that fails the handshake ends the TCP connection, and sends no frame (section 4.1). */
  async #abandons(): Promise<Deviation | undefined> {
    const expected = 'the end of the TCP connection, and no frame'
    const event = await this.#line.take('message', this.#patience.watch)
    if (event?.kind === 'end' || event?.kind === 'lost') return undefined
    if (event?.kind === 'close') return lax(expected, shownEvent(event))
    const came = event === undefined ? `nothing within ${this.#patience.watch} ms` : shownEvent(event)
    return broken(expected, came)
  }

  /** Answers the client's offer of permessage-deflate; why the case can't be run, if it can't. */
  #agree(): Deviation | undefined {
    const { 'sec-websocket-extensions': offered = '' } = this.#asked.headers
    const asked = [...extensionsIn(offered)].find((offer) => offer?.name === 'permessage-deflate')
    if (asked === undefined) return skip('the client does not offer permessage-deflate')
    this.#extension = answerTo(asked.parameters, this.#case.deflate?.answer ?? '')
    const agreed = acceptedDeflate(this.#extension, offered)
    if (agreed === undefined) return skip(`the client does not offer ${this.#extension}`)
    if (this.#case.deflate?.needs?.(agreed, 'client') === false || !this.#fits(agreed))
      return skip('the client has agreed on other parameters')
    this.#line.inflateWith(new Inflation(agreed.clientMaxWindowBits, !agreed.clientNoContextTakeover))
    return undefined
  }

  /** What cases compress may refer to anything before it: in a smaller window, only short messages are sure to fit. */
  #fits({ serverMaxWindowBits }: DeflateParameters): boolean {
    if (serverMaxWindowBits === 15) return true
    const lengths = this.#case.steps.map((step) => (step.step === 'message' ? bytesIn(step.payload).length : 0))
    return lengths.reduce((sum, length) => sum + length, 0) <= 2 ** serverMaxWindowBits
  }
}

/** The answer of a case, and what the client's offer needs besides (RFC 7692, sections 7.1.1.1 and 7.1.2.1). */
function answerTo(parameters: readonly { name: string; value: string | undefined }[], answer: string): string {
  const missing = parameters.flatMap(({ name, value }) => {
    const isOurs = name === 'server_no_context_takeover' || name === 'server_max_window_bits'
    return !isOurs || answer.includes(name) ? [] : [`; ${name}${value === undefined ? '' : `=${value}`}`]
  })
  return `permessage-deflate${answer}${missing.join('')}`
}

const rules: Readonly<Record<RequestRule, (asked: Asked) => boolean>> = {
  method: ({ method }) => method === 'GET',
  version: ({ httpVersion }) => httpVersion === '1.1',
  host: ({ headers }) => (headers['host'] ?? '') !== '',
  upgrade: ({ headers }) => hasToken(headers['upgrade'], 'websocket'),
  connection: ({ headers }) => hasToken(headers['connection'], 'upgrade'),
  key: ({ headers }) => isKey(headers['sec-websocket-key'] ?? ''),
  websocketVersion: ({ headers }) => headers['sec-websocket-version'] === '13',
  once: ({ headers }) =>
    ['host', 'sec-websocket-key', 'sec-websocket-version'].every((name) => !(headers[name] ?? '').includes(',')),
}
