// The receiving half of a connection: runs the codec over what was read, hands out what it found, in order,
// and parks what can't be handed out yet in memory that counts against the budget.
import { OutOfMemory } from '../../codec/codec.js'
import { isCompressed, isInRegion, isMark, isPart, OPCODE_BINARY, opcodeOf } from '../../codec/frames.js'
import { isViolation, type Parser, STATUS_AGAIN, STATUS_DONE, STATUS_REGION } from '../../codec/parser.js'
import type { Region } from '../../codec/region.js'
import { Assembly } from '../../memory/assembly.js'
import { Flow } from '../../memory/flow.js'
import { inboxOfThread } from '../../memory/inbox.js'
import type { Role } from '../../protocol/role.js'
import { ProtocolViolation } from '../../protocol/violation.js'
import type { Pressure } from '../pressure.js'
import { Reason } from '../reason.js'
import { traceRead, tracing } from '../trace.js'
import { isHandedOut } from './handedOut.js'
import type { Inflation } from './inflation.js'
import type { Agreement, InflationParts, InflationTarget } from './inflationParts.js'
import { openParser } from './openParser.js'
import { DONE, ParkedRead, type Rest } from './parkedRead.js'
import { concludes, type Deliverer, type IncomingContext, type Sink, tellFailure } from './sink.js'
import { leaveInflation, openInflation } from './spareInflation.js'

export class Incoming implements InflationTarget {
  /** The first two bytes of the header that broke a rule, as `Parser.refused` says them. */
  refused = 0
  /** Its limits may become others. */
  shared: IncomingContext
  readonly sink: Sink
  readonly deliverer: Deliverer
  readonly pressure: Pressure
  readonly #parser: Parser
  /** How messages may be compressed, if that was agreed on. */
  readonly #deflate: InflationParts | undefined
  /** Inflates them, from the first one on; where they do not refer to each other, each for itself. */
  #inflation: Inflation | undefined
  #assembly: Assembly | undefined
  #parked: ParkedRead | undefined
  /** The message under way, if it is handed out in parts. */
  #flow: Flow | undefined
  #resuming = false
  #bytes = 0 // what has come of the message that is handed out in parts

  constructor(
    shared: IncomingContext,
    sink: Sink,
    deliverer: Deliverer,
    pressure: Pressure,
    role: Role = 'server',
    agreed: Agreement = {},
  ) {
    this.shared = shared
    this.sink = sink
    this.deliverer = deliverer
    this.pressure = pressure
    this.#parser = openParser(shared, role, agreed.deflate !== undefined)
    this.#deflate = agreed.deflate
    this.#deflate?.inflation.windows.charge(this.#deflate.inflation.bytes)
  }

  /** Notes when the last bytes came; `reading` is false while this server does not read. */
  noteArrival(reading: boolean): void {
    this.#assembly?.arrived(reading)
    this.#flow?.arrived(reading)
    this.#inflation?.arrived(reading)
  }

  /** Takes the bytes of one read, which lie from `start` to `end` until this returns. */
  receive(start: number, end: number): void {
    if (tracing) traceRead(this.sink, start, end)
    const { turn, slices } = this.shared
    turn.begin()
    slices.begin(this)
    try {
      if (this.#parked === undefined) this.#run(start, end)
      else this.#parkBehind(this.#parked, start, end)
    } catch (error) {
      tellFailure(this.sink, error)
    } finally {
      this.noteArrival(!this.pressure.stopped)
      turn.end()
    }
  }

  /** Hands out what was parked, as far as it may be delivered. */
  deliverParked(): void {
    const { turn, slices } = this.shared
    turn.begin()
    slices.begin(this)
    try {
      inboxOfThread().exclusively(() => this.#resume())
    } catch (error) {
      tellFailure(this.sink, error)
    } finally {
      turn.end()
    }
  }

  #resume(): void {
    const { slices } = this.shared
    if (this.#resuming) return // a handler that is being handed parked frames has resumed: the loop below goes on
    this.#resuming = true
    try {
      while (this.#parked !== undefined && this.pressure.accepts) {
        if (this.#parked.taken) this.#parseParked(this.#parked)
        else {
          this.#parked.deliverNext((info, pointer, length) => this.#deliver(info, pointer, length))
          if (slices.spend()) this.pressure.yield(slices)
        }
      }
    } finally {
      this.#resuming = false
    }
  }

  /** The parked frames are delivered: the bytes that followed them are parsed, and may be parked again. */
  #parseParked(parked: ParkedRead): void {
    const { budget } = this.shared
    this.#parked = undefined
    budget.release(this.sink, parked.cost) // whatever is parked again is charged anew
    try {
      if (!concludes(this.sink, parked.status, this.shared.limits)) this.#run(parked.start, parked.end)
    } finally {
      parked.memory.release() // also when there is no memory to park the rest in
    }
  }

  /** From now on, messages have at most so many bytes; false if the one under way has more, as `Parser.limit` says. */
  limit(maxMessage: number): boolean {
    this.shared = { ...this.shared, limits: { ...this.shared.limits, maxMessage } }
    return this.#parser.limit(maxMessage)
  }

  /** From now on, whoever takes messages is told where their frames end. */
  markFrames(): void {
    this.#parser.markFrames()
  }

  /** Whether something has been read that is not delivered. */
  get waits(): boolean {
    return this.#parked !== undefined
  }

  /** What has been announced, and has not come. */
  get progress(): Pick<Parser, 'remaining' | 'total' | 'carried' | 'refused'> {
    return this.#parser
  }

  /** Gives up what has not been delivered. Nothing must be received after this. */
  drop(): void {
    this.#assembly?.drop()
    this.#assembly = undefined
    this.#flow?.drop()
    this.#flow = undefined
    this.#inflation?.drop()
    if (this.#parked !== undefined) this.#unpark(this.#parked)
    this.#parked = undefined
  }

  /** Gives back everything; the transport must be gone. */
  free(): void {
    this.drop()
    this.#inflation?.free()
    this.#deflate?.inflation.windows.give(this.#deflate.inflation.bytes)
    this.#parser.free()
  }

  #run(start: number, end: number): void {
    const { slices } = this.shared
    const parser = this.#parser
    // Checked before parsing: the first frame's payload may lie in the slot, which is not parked.
    if (!this.pressure.accepts) return this.#park({ from: 0, to: 0, start, end, status: STATUS_AGAIN })
    for (let cursor = start; ; ) {
      const status = parser.parse(cursor, end)
      if (isViolation(status)) this.refused = parser.refused // while the header is there: it may be parked, and told later
      const to = parser.count
      cursor = parser.consumed
      for (let from = 0; from < to; from++) {
        if (!this.pressure.accepts) return this.#park({ from, to, start: cursor, end, status })
        const done = this.#deliver(parser.info(from), parser.pointer(from), parser.length(from))
        if (done !== DONE) {
          parser.shorten(from, done)
          return this.#park({ from, to, start: cursor, end, status })
        }
        if (slices.spend()) this.pressure.yield(slices)
      }
      if (!this.pressure.accepts) return this.#park({ from: 0, to: 0, start: cursor, end, status })
      if (status === STATUS_DONE || concludes(this.sink, status, this.shared.limits)) return
      if (status === STATUS_REGION && !this.#grow()) {
        this.pressure.pause(Reason.budget)
        return this.#park({ from: 0, to: 0, start: cursor, end, status })
      }
      if (slices.spend()) this.pressure.yield(slices)
      if (!this.pressure.accepts) return this.#park({ from: 0, to: 0, start: cursor, end, status: STATUS_AGAIN })
    }
  }

  /** Hands out a frame or a message: DONE, or how many bytes of it are dealt with, if the rest must wait. */
  #deliver(info: number, pointer: number, length: number): number {
    const opcode = opcodeOf(info)
    if (isMark(info)) return this.#mark(info, pointer, length)
    if (isCompressed(info)) return this.#inflate(this.#deflate, info, pointer, length)
    this.#bytes = this.shared.counts.arrived(info, length, this.#bytes)
    if (opcode > OPCODE_BINARY) this.sink.control(opcode, pointer, length)
    else if (this.#flow !== undefined) this.#deliverPart(info, pointer, length)
    else this.#deliverWhole(info, pointer, length)
    return DONE
  }

  #inflate(deflate: InflationParts | undefined, info: number, pointer: number, length: number): number {
    if (deflate === undefined) return DONE // the parser lets no such message pass
    this.#inflation ??= openInflation(this, deflate)
    const done = this.#inflation.take(info, pointer, length, this.#parser.remaining)
    this.#bytes = done === DONE ? this.shared.counts.arrived(info, length, this.#bytes) : this.#bytes + done
    if (this.#inflation.spent) this.#inflation = leaveInflation(this.#inflation)
    return done
  }

  /** A frame ends that is not the last one of its message, perhaps behind a part of it. */
  #mark(info: number, pointer: number, length: number): number {
    // What is left of a part may be no bytes, while a thread is at work on it, or while there is more to write.
    const done = isInRegion(info) ? DONE : this.#inflate(this.#deflate, info, pointer, length)
    if (done === DONE) this.deliverer.frameEnds?.(isInRegion(info) ? pointer : (this.#inflation?.filled ?? 0))
    return done
  }

  #deliverWhole(info: number, pointer: number, length: number): void {
    let region: Region | undefined
    if (isInRegion(info)) {
      region = this.#assembly?.finish()
      this.#assembly = undefined
    }
    this.deliverer.take(info, pointer, length, region)
  }

  #deliverPart(info: number, pointer: number, length: number): void {
    const last = !isPart(info)
    if (last) {
      this.#flow?.drop()
      this.#flow = undefined
    }
    this.deliverer.streamPart(pointer, length, last)
  }

  /** From here on, the message under way is handed out in parts; what is there of it is the first. */
  #stream({ filled, announced }: Parser): boolean {
    const { budget, limits } = this.shared
    const parser = this.#parser
    const whole = filled === 0 && parser.frameIsFinal
    this.#flow = new Flow(budget, this.sink, limits.payloadTimeout)
    this.deliverer.streamBegins(parser.messageIsText, whole ? announced : undefined)
    parser.stream()
    this.#bytes = filled
    const region = this.#assembly?.finish()
    this.#assembly = undefined
    if (region !== undefined) this.deliverer.streamPart(region.pointer, filled, false)
    region?.release()
    return true
  }

  /** Gives the message under way the room that the parser asks for. */
  #grow(): boolean {
    if (isHandedOut(this.shared, this.#parser)) return this.#stream(this.#parser)
    this.#assembly ??= new Assembly(this.shared.budget, this.sink, this.shared.limits.payloadTimeout)
    return this.#assembly.grow(this.shared.heap, this.#parser)
  }

  /** Keeps a part of the table with its payloads, and the bytes after it. */
  #park(rest: Rest): void {
    if (this.pressure.done || (rest.from === rest.to && rest.start === rest.end && !isViolation(rest.status))) return
    const parser = this.#parser
    this.#parked = this.#keep(ParkedRead.cost(parser, rest), () => ParkedRead.park(parser, this.shared.heap, rest))
  }

  /** A transport may deliver once more after it was paused: those bytes are parked after the others. */
  #parkBehind(parked: ParkedRead, start: number, end: number): void {
    const by = end - start
    const joined = this.#keep(parked.costWith(by), () => parked.followedBy(this.shared.heap, start, by))
    if (joined === undefined) return // the connection has failed, and given up what was parked
    this.#parked = joined
    this.#unpark(parked)
  }

  /** Memory to park in. Without it, the connection fails: its bytes have been read, so it can't wait for memory. */
  #keep(cost: number, park: () => ParkedRead): ParkedRead | undefined {
    const { budget } = this.shared
    try {
      if (budget.keep(this.sink, cost)) return park()
    } catch (error) {
      budget.release(this.sink, cost)
      if (!(error instanceof OutOfMemory)) throw error
    }
    this.sink.violated(new ProtocolViolation('MEMORY_SPENT'))
    return undefined
  }

  #unpark(parked: ParkedRead): void {
    parked.memory.release()
    this.shared.budget.release(this.sink, parked.cost)
  }
}
