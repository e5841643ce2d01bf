// One connection of the model, and both of its ends: what was sent each way and has not arrived, in order. Whatever
// arrives is held against that, byte by byte.
import { Buffer } from 'node:buffer'
import type { Connection, Message } from '../../src/index.js'
import { Queue } from '../../src/time/queue.js'
import { BINARY, buildFrame, close, masked, PING, PONG, TEXT } from '../support/frames.js'
import type { Random } from '../support/random.js'
import { StrictParser, type Taker } from '../support/strictParser.js'
import { ClientDeflate } from './clientDeflate.js'
import { describe, formFrom, isText, lengthFrom, nameOf, payloadOf, type Spec } from './payloads.js'
import type { Wire, WireEnd } from './wires.js'

/** What the server has sent: a message, and whether it must arrive where the connection stays open. */
export interface Expected {
  readonly spec: Spec
  /** The output policy may have dropped it. */
  readonly optional: boolean
  /** It was refused after all. */
  void: boolean
  /** All of it was sent, if in fragments. */
  complete: boolean
}

/** What an actor is part of. */
export interface Stage {
  readonly random: Random
  /** Bytes that may wait for one client. */
  readonly mostWaiting: number
  /** Something is not as it must be. */
  fault(what: string): void
  /** A client has been sent a frame. */
  delivered(actor: Actor): void
}

export type Policy = 'pause' | 'drop' | 'close'

const MOST_WAITING = 60

export class Actor implements Taker, WireEnd {
  readonly name: string
  /** The first part of its path: what serves it. */
  readonly path: string
  readonly policy: Policy
  connection: Connection<unknown> | undefined
  wire: Wire | undefined
  /** What the client sent, and no handler has seen. */
  readonly toServer = new Queue<Spec>()
  readonly toClient = new Queue<Expected>()
  readonly pings = new Queue<string>()
  /** A fragmented message of the server's is under way. */
  fragments: Expected | undefined
  /** What has not been sent of it. */
  rest: string | Buffer = ''
  streaming = false
  /** A `send` is being called. */
  sending = 0
  /** The client has sent Close, or left. */
  leaving = false
  /** The server has ended the connection, or has been made to. */
  ending = false
  gone = false
  held = false
  clientGone = false
  /** The client has half-closed, without Close: what it sent before that arrives. */
  halfClosed = false
  /** Others needed the memory: what it had not been sent was given up. */
  evicted = false
  /** The client has destroyed its end. */
  torn = false
  readonly topics = new Set<string>()
  readonly #stage: Stage
  /** What the client offers to compress; undefined where it offers nothing. */
  readonly offer: string | undefined
  /** How messages are compressed, if that was agreed on. */
  #deflate: ClientDeflate | undefined
  readonly #parser = new StrictParser(this, () => this.#deflate?.inflate)
  readonly #asked = new Queue<string>()
  #number = 0
  #replies = 0
  #closed = false
  readonly #unwritten: Buffer[] = []
  #writing = false

  constructor(stage: Stage, name: string, path: string, policy: Policy, offer?: string) {
    this.offer = offer
    this.#stage = stage
    this.path = path
    this.name = name
    this.policy = policy
  }

  /** Whether the server may send. */
  get open(): boolean {
    return this.connection?.isOpen === true
  }

  /** Whether enough is under way already. */
  get busy(): boolean {
    return this.toClient.length > MOST_WAITING || (this.connection?.bufferedAmount ?? 0) > this.#stage.mostWaiting
  }

  get satisfied(): boolean {
    return this.toServer.length === 0 && this.#missing() === undefined && this.pings.length === 0
  }

  /** What has not arrived, in words. */
  get owed(): string {
    const [[first], missing, [ping]] = [this.toServer, this.#missing(), this.pings]
    const up = first === undefined ? '' : `${this.toServer.length} from ${nameOf(first)} on are not delivered`
    const down = missing === undefined ? '' : `${nameOf(missing.spec)} has not arrived`
    return [up, down, ping === undefined ? '' : `the ping ${ping} has not arrived`].join(' ')
  }

  // The client.

  /** Frames of a few messages, some in fragments with pings between; noted as sent. */
  compose(most: number): Buffer {
    const { random } = this.#stage
    const frames: Buffer[] = []
    for (let n = random.between(1, most); n > 0; n--) {
      const spec = {
        stream: `${this.name}>`,
        number: this.#number++,
        length: lengthFrom(random),
        form: formFrom(random),
      }
      this.toServer.push(spec)
      this.#frames(frames, isText(spec) ? TEXT : BINARY, payloadOf(spec))
    }
    return Buffer.concat(frames)
  }

  clientSends(most = 6): void {
    if (this.leaving || this.wire === undefined || this.toServer.length > MOST_WAITING) return
    const bytes = this.compose(most)
    const { random } = this.#stage
    const cut = random.chance(0.8) ? bytes.length : random.below(bytes.length)
    this.#write(bytes.subarray(0, cut), bytes.subarray(cut))
  }

  /** What is written while something else is written follows it. */
  #write(...pieces: Buffer[]): void {
    this.#unwritten.push(...pieces)
    if (this.#writing) return
    this.#writing = true
    for (let piece = this.#unwritten.shift(); piece !== undefined; piece = this.#unwritten.shift()) {
      if (piece.length > 0) this.wire?.write(piece)
    }
    this.#writing = false
  }

  clientCloses(): void {
    if (this.leaving || this.wire === undefined) return
    this.leaving = true
    this.#write(close(4000, this.name))
  }

  clientEnds(): void {
    if (this.leaving || this.wire === undefined || this.#writing || this.connection === undefined) return
    this.leaving = this.halfClosed = true
    this.wire.end()
  }

  clientLeaves(): void {
    if (this.wire === undefined) return
    this.torn = true
    this.leaving = this.clientGone = true
    this.wire?.destroy()
  }

  hold(): void {
    this.held = true
    this.wire?.hold()
  }

  release(): void {
    this.held = false
    this.wire?.release()
  }

  #frames(frames: Buffer[], opcode: number, payload: Buffer): void {
    const { random } = this.#stage
    const deflate = this.#deflate !== undefined && random.chance(0.8) ? this.#deflate : undefined
    const compressed = deflate !== undefined
    const bytes = deflate?.deflate(payload) ?? payload
    if (random.chance(0.8)) return void frames.push(frame(opcode, bytes, true, compressed))
    let at = 0
    for (let first = true; ; first = false) {
      const end = random.chance(0.3) ? bytes.length : random.between(at, bytes.length)
      const fin = end === bytes.length
      frames.push(frame(first ? opcode : 0, bytes.subarray(at, end), fin, first && compressed))
      if (fin) return
      at = end
      if (random.chance(0.3)) frames.push(this.#ping())
    }
  }

  #ping(): Buffer {
    const payload = `${this.name}!${this.#replies++}`.padEnd(this.#stage.random.between(8, 125), '.')
    this.#asked.push(payload)
    return masked(PING, payload)
  }

  // What the client is sent (Taker, WireEnd).

  received(chunk: Buffer): void {
    this.#parser.take(chunk)
  }

  message(text: boolean, payload: Buffer): void {
    for (;;) {
      const expected = this.toClient.shift()
      if (expected === undefined) return this.fault(`its client is sent ${describe(payload)}, which is not for it now`)
      const { spec } = expected
      const same = !expected.void && payload.length === spec.length && payloadOf(spec).equals(payload)
      if (same && text === isText(spec)) break
      if (expected.void || expected.optional || this.evicted) continue
      return this.fault(
        `its client is sent ${describe(payload)} instead of ${nameOf(spec)}${expected.complete ? '' : ', of which not all is sent'}`,
      )
    }
    this.#stage.delivered(this)
  }

  ping(payload: Buffer): void {
    const expected = this.pings.shift()
    const text = payload.toString('latin1')
    if (text !== expected && !this.evicted)
      this.fault(`its client is sent the ping ${JSON.stringify(text)} instead of ${expected}`)
    if (!this.leaving) this.#write(masked(PONG, payload))
    this.#stage.delivered(this)
  }

  /** Section 5.5.3: a pong may stand for the pings before, too. */
  pong(payload: Buffer): void {
    const text = payload.toString('latin1')
    for (;;) {
      const asked = this.#asked.shift()
      if (asked === undefined) return this.fault(`its client is sent the pong ${JSON.stringify(text)}, unasked`)
      if (asked === text) return
    }
  }

  /** What was sent before Close has arrived before it. */
  close(payload: Buffer): void {
    this.#closed = true
    const missing = this.#cut || this.evicted ? undefined : this.#missing()
    if (missing !== undefined && this.sending === 0) {
      this.fault(`its client is sent Close ${payload.toString('latin1')} before ${nameOf(missing.spec)}`)
    }
    if (!this.leaving) this.#write(close(1000))
    this.leaving = true
  }

  broken(rule: string): void {
    this.fault(`its client is sent ${rule}`)
  }

  accepted(head: string): void {
    const answer = /^sec-websocket-extensions: (.*)\r$/im.exec(head)?.[1]
    if ((answer === undefined) !== (this.offer === undefined))
      this.fault(`its client offers ${this.offer}, and is answered ${answer}`)
    if (answer !== undefined) this.#deflate = new ClientDeflate(answer, this.#stage.random)
  }

  refused(head: string): void {
    this.fault(`its client is refused: ${head}`)
  }

  ended(): void {
    if (this.#closed && !this.#parser.whole) this.fault('its client is sent half a frame at the end')
    this.leaving = true
    this.wire?.end()
  }

  closed(): void {
    this.leaving = this.clientGone = true
    this.#deflate?.free()
    this.#deflate = undefined
  }

  /** Whether a message in fragments was not sent to its end: nothing that waited behind it can be. */
  get #cut(): boolean {
    for (const { complete } of this.toClient) if (!complete) return true
    return false
  }

  /** What must arrive, and did not. */
  #missing(): Expected | undefined {
    for (const expected of this.toClient) if (!expected.void && !expected.optional) return expected
    return undefined
  }

  // The server.

  /** The next message that a handler sees must be this. */
  arrives(text: boolean, payload: Uint8Array | undefined): Spec | undefined {
    const spec = this.toServer.shift()
    const what = payload === undefined ? 'a stream' : describe(payload)
    if (spec === undefined) this.fault(`its handler is given ${what}, which nobody has sent`)
    else if (text !== isText(spec) || (payload !== undefined && !payloadOf(spec).equals(payload))) {
      this.fault(`its handler is given ${what} instead of ${nameOf(spec)}`)
    } else return spec
    return undefined
  }

  /** Whether others needed the memory of a message whose connection has ended: then it says that it is gone. */
  gaveUp(error: unknown): boolean {
    return /its memory was needed/.test(String(error)) && this.connection?.isOpen !== true
  }

  /** A message is still what it was, or says that it was given up. */
  stays(message: Message, spec: Spec, when: string): void {
    let view: Uint8Array
    try {
      view = message.view
    } catch (error) {
      if (!this.gaveUp(error)) this.fault(`${nameOf(spec)} can not be read ${when}: ${String(error)}`)
      return
    }
    if (!payloadOf(spec).equals(view)) this.fault(`${nameOf(spec)} has become ${describe(view)} ${when}`)
  }

  /** The next message of the server's own for this connection. */
  next(length?: number): Spec {
    const { random } = this.#stage
    const form = formFrom(random)
    return { stream: `${this.name}<`, number: this.#replies++, length: length ?? lengthFrom(random), form }
  }

  /** The client must be sent this next; `optional` if the policy may drop it. */
  expect(spec: Spec, optional = false, complete = true): Expected {
    // Without a byte, nobody can tell whether it or another that has none was dropped.
    const may = this.policy !== 'pause' && (optional || spec.length === 0)
    const expected = { spec, optional: may, void: false, complete }
    this.toClient.push(expected)
    return expected
  }

  fault(what: string): void {
    this.#stage.fault(`${this.name} (${this.path}): ${what}`)
  }
}

/** A frame of a client; the first of a compressed message has RSV1 (RFC 7692, section 6). */
function frame(opcode: number, payload: Buffer, fin: boolean, compressed: boolean): Buffer {
  if (!compressed) return masked(opcode, payload, fin)
  return buildFrame({ opcode, payload, fin, reserved: 4, key: Buffer.of(0x5a, 0x17, 0xc3, payload.length & 0xff) })
}
