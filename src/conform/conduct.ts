// Conducts a case on a line that is open: does its steps one after the other, until one of them shows that a rule is broken.
import { OPCODE_CLOSE } from '../codec/frames.js'
import type { Step } from './case.js'
import { broken, type Deviation, lax } from './deviation.js'
import { type Event, shownBytes, shownClose, shownEvent } from './event.js'
import type { Line } from './line.js'
import { bytesIn, encodeFrame, encodeFrames } from './wire.js'

/** Steps that are about frames: those about heads are for who opens the line. */
export type FrameStep = Exclude<
  Step,
  { readonly step: 'request' | 'refused' | 'opened' | 'asked' | 'respond' | 'abandons' }
>

/** Times in milliseconds. */
export interface Patience {
  /** How long an answer may take that must come. */
  readonly answer: number
  /** How long a peer is watched that may do nothing. */
  readonly watch: number
}

/** What a peer may say of a message that is too long for it, or of too little memory (section 7.4.1, and IANA's registry). */
const TOO_MUCH = [1009, 1008, 1013]

const NORMAL = Buffer.of(0x03, 0xe8)

export class Conduct {
  readonly #line: Line
  readonly #patience: Patience
  readonly deviations: Deviation[] = []
  /** The connection has come to its end, as far as the case is concerned. */
  #over = false

  constructor(line: Line, patience: Patience) {
    this.#line = line
    this.#patience = patience
  }

  /** Does a step; false if no other may follow. */
  async step(step: FrameStep): Promise<boolean> {
    const deviation = await this.#do(step)
    if (deviation !== undefined) this.deviations.push(deviation)
    return deviation?.weight !== 'rule'
  }

  /** Ends a connection that is still open, and sees whether anything came that nobody asked for. */
  async farewell(): Promise<void> {
    if (this.#over) return
    await this.#send(encodeFrame({ opcode: OPCODE_CLOSE, payload: NORMAL }, this.#line.masks), true)
    const event = await this.#line.take('message', this.#patience.watch)
    if (event?.kind === 'message' || event?.kind === 'broken')
      this.deviations.push(broken('nothing more', shownEvent(event)))
    this.#line.finish()
  }

  async #do(step: FrameStep): Promise<Deviation | undefined> {
    switch (step.step) {
      case 'send':
        return this.#sendFrames(step)
      case 'raw':
        return this.#send(bytesIn(step.bytes))
      case 'message':
        return this.#message(step)
      case 'pong':
        return this.#pong(bytesIn(step.payload))
      case 'fails':
        return this.#fails(step.codes)
      case 'failsOrWaits':
        return this.#failsOrWaits(step.codes)
      case 'closes':
        return this.#closes(step.codes)
      case 'ends':
        return this.#ends()
      case 'keysDiffer':
        return this.#keysDiffer()
      case 'finish':
        this.#over = true
        this.#line.finish()
        return undefined
      case 'reset':
        this.#over = true
        this.#line.reset()
        return undefined
    }
  }

  async #sendFrames({ frames, pieces, cut }: Extract<Step, { step: 'send' }>): Promise<undefined> {
    const bytes = encodeFrames(frames, this.#line.masks)
    if (frames.some(({ opcode, fin }) => opcode === OPCODE_CLOSE && fin !== false)) this.#line.closeSent = true
    await (cut === undefined ? this.#line.write(bytes, pieces) : this.#line.writeInTwo(bytes, cut))
  }

  async #send(bytes: Buffer, isClose = false): Promise<undefined> {
    if (isClose) this.#line.closeSent = true
    await this.#line.write(bytes)
  }

  async #message({ text, payload, orTooBig }: Extract<Step, { step: 'message' }>): Promise<Deviation | undefined> {
    const wanted = bytesIn(payload)
    const expected = `${text ? 'text' : 'a binary message'} of ${shownBytes(wanted)} back`
    const event = await this.#line.take('message', this.#patience.answer)
    if (event?.kind === 'message' && event.text === text && event.payload.equals(wanted)) return undefined
    if (orTooBig === true && event?.kind === 'close' && TOO_MUCH.includes(event.code)) return this.#left()
    return broken(expected, this.#shown(event, this.#patience.answer))
  }

  /** A peer may answer the last of several Pings only (section 5.5.3), and may send Pongs of its own. */
  async #pong(wanted: Buffer): Promise<Deviation | undefined> {
    const expected = `a Pong of ${shownBytes(wanted)}`
    let others = 0
    for (;;) {
      const event = await this.#line.take('pong', this.#patience.answer)
      if (event?.kind === 'pong' && event.payload.equals(wanted)) return undefined
      if (event?.kind !== 'pong') {
        const before = others === 0 ? '' : `, after ${others} other Pongs`
        return broken(expected, `${this.#shown(event, this.#patience.answer)}${before}`)
      }
      others++
    }
  }

  async #fails(codes: readonly number[]): Promise<Deviation | undefined> {
    const expected = shownCodes(codes)
    const event = await this.#line.take('message', this.#patience.watch)
    this.#over = event !== undefined
    if (event === undefined || event.kind === 'message' || event.kind === 'broken')
      return broken(expected, this.#shown(event, this.#patience.watch))
    if (event.kind !== 'close') return lax(expected, shownEvent(event))
    const late = await this.#left()
    if (late !== undefined) return late
    return codes.includes(event.code) ? undefined : lax(expected, shownEvent(event))
  }

  async #failsOrWaits(codes: readonly number[]): Promise<Deviation | undefined> {
    const event = await this.#line.take('message', this.#patience.watch)
    this.#over = true
    const expected = `${shownCodes(codes)}, or nothing yet`
    if (event === undefined) return undefined
    if (event.kind === 'message' || event.kind === 'broken') return broken(expected, shownEvent(event))
    return event.kind === 'close' && codes.includes(event.code) ? undefined : lax(expected, shownEvent(event))
  }

  /** Our own Close was sent before: the peer's answers it. */
  async #closes(codes: readonly number[]): Promise<Deviation | undefined> {
    const expected = shownCodes(codes)
    const event = await this.#line.take('message', this.#patience.answer)
    if (event?.kind !== 'close') return broken(expected, this.#shown(event, this.#patience.answer))
    this.#over = true
    const late = await this.#left()
    if (late !== undefined) return { ...late, weight: this.#line.peer === 'server' ? 'rule' : 'wish' }
    return codes.includes(event.code) ? undefined : lax(expected, shownEvent(event))
  }

  /** The peer has sent a Close frame: the server ends the TCP connection, and the client follows (section 7.1.1). */
  async #left(): Promise<Deviation | undefined> {
    this.#over = true
    const { peer, closeSent, masks } = this.#line
    if (!closeSent) await this.#send(encodeFrame({ opcode: OPCODE_CLOSE, payload: NORMAL }, masks), true)
    if (peer === 'client') this.#line.finish()
    if (await this.#line.ended(this.#patience.watch)) return undefined
    return lax('the end of the TCP connection after both Close frames (section 7.1.1)', this.#silence())
  }

  async #ends(): Promise<Deviation | undefined> {
    this.#over = true
    if (await this.#line.ended(this.#patience.watch)) return undefined
    return broken('the end of the TCP connection', this.#silence())
  }

  async #keysDiffer(): Promise<Deviation | undefined> {
    const { size } = this.#line.keys
    return size > 1 ? undefined : broken('a new key for each frame', `${size} for all of them`)
  }

  #shown(event: Event | undefined, milliseconds: number): string {
    return event === undefined ? `nothing within ${milliseconds} ms: the connection stayed open` : shownEvent(event)
  }

  #silence(): string {
    return `a TCP connection that was still open after ${this.#patience.watch} ms`
  }
}

function shownCodes(codes: readonly number[]): string {
  return codes.map((code) => shownClose(code)).join(' or ')
}
