// Inflates what one connection receives compressed (RFC 7692, section 7.2.2), step by step: between two of them others may
// have their turn, the reader of a stream may fall behind, or memory may have to be waited for.
import { compressionOf, Region } from '../../codec/codec.js'
import type { TaskResult } from '../../codec/codecTask.js'
import { isPart, isText, messageInfo } from '../../codec/frames.js'
import { INFLATE_MORE, INFLATE_ROOM, Inflater } from '../../codec/inflater.js'
import { SCRATCH_LENGTH, scratchOfThread } from '../../codec/scratch.js'
import { TextCheck } from '../../codec/textCheck.js'
import { Assembly, type Growing } from '../../memory/assembly.js'
import { Flow } from '../../memory/flow.js'
import { type CodecThreads, codecThreads, LONG } from '../../pool/codecThreads.js'
import { ProtocolViolation, type ViolationName } from '../../protocol/violation.js'
import { Reason } from '../reason.js'
import { afterJob, endJob, InflateJob } from './inflateJob.js'
import { announcedFor, costOf, INPUT, longerThan, MOST_GROWTH, roomFor, STEP, violationOf } from './inflateStep.js'
import type { InflationParts, InflationTarget } from './inflationParts.js'
import { DONE } from './parkedRead.js'
import { limitOf, longestOf } from './sink.js'

export class Inflation implements Growing {
  /** Whether a message is done to which others do not refer: nothing more is inflated for this connection. */
  spent = false
  /** What the message's region must hold to go on, and what is there (Growing). */
  needed = 0
  filled = 0
  /** A guess: addresses are kept free for a long message, as to move megabytes would take as long as a turn (Growing). */
  announced = 0
  /** Whose messages it inflates; undefined while it is the spare one. */
  #owner: InflationTarget | undefined
  #parts: InflationParts
  readonly #inflater: Inflater
  /** Where the message, or what is there of a stream and not handed out, begins, and where its room ends. */
  #base = 0
  #end = 0
  #underWay = false
  /** Bytes of the part under way that are inflated, and of the part and of what follows it in its frame. */
  #taken = 0
  #coming = 0
  readonly #text: TextCheck
  #assembly: Assembly | undefined
  #flow: Flow | undefined // the message under way, if it is handed out in parts
  /** The part of it that was handed to a thread, and the last one that was given up: a thread may be at work on that. */
  #job: InflateJob | undefined
  #away: InflateJob | undefined

  constructor(target: InflationTarget, parts: InflationParts) {
    const { heap, anyText } = target.shared
    this.#owner = target
    this.#parts = parts
    this.#inflater = new Inflater(compressionOf(heap), parts.inflation.windowBits)
    this.#text = new TextCheck(heap.codec, anyText)
  }

  /** Is used for another connection, after `rest`; false if it can't be. */
  reopen(target: InflationTarget, parts: InflationParts): boolean {
    const { heap, anyText = false } = target.shared
    if (this.#inflater.heap !== heap || this.#text.anything !== anyText) return false
    this.#owner = target
    this.#parts = parts
    this.#inflater.restart(parts.inflation.windowBits)
    return true
  }

  /** Its connection uses it no more; whether another one may. */
  rest(): boolean {
    this.#owner = undefined
    return this.#inflater.fresh
  }

  get #target(): InflationTarget {
    if (this.#owner === undefined) throw new Error('a message was inflated that belongs to nobody')
    return this.#owner
  }

  /** Notes that bytes have come; `reading` is false while this server does not read. */
  arrived(reading: boolean): void {
    this.#assembly?.arrived(reading)
    this.#flow?.arrived(reading)
  }

  /**
   * Takes a compressed message, or the next part of one. Returns DONE; or how many bytes are dealt with, if what is behind
   * them must be given again when messages may be delivered again. `remaining` bytes of the frame are still to come.
   */
  take(info: number, pointer: number, length: number, remaining = 0): number {
    if (!this.#underWay) this.#begin(info)
    this.#taken = 0
    this.#coming = length + remaining
    const job = this.#job ?? this.#handOver(pointer, length)
    if (job === undefined) {
      if (!this.#steps(pointer, length)) return this.#taken
    } else if (!this.#goesOn(job)) return length // all of it is with the job
    if (this.#underWay && !isPart(info)) this.#finish()
    else this.#leaveScratch()
    return DONE
  }

  /** Gives up the message under way. */
  drop(): void {
    this.#underWay = false
    const region = this.#assembly?.finish()
    this.#assembly = undefined
    this.#flow?.drop()
    this.#flow = undefined
    this.#away = this.#job ?? this.#away
    endJob(this.#job, region)
    this.#job = undefined
  }

  /** Gives back everything. */
  free(): void {
    this.drop()
    afterJob(this.#away, () => this.#inflater.free())
  }

  /** The message's region is here, with what was in the one before (Growing). */
  grant({ pointer, capacity }: Region): void {
    if (this.#base === scratchOfThread('inflate')) this.#inflater.heap.codec.call.copy(pointer, this.#base, this.filled)
    this.#base = pointer
    this.#end = pointer + capacity
  }

  #begin(info: number): void {
    this.#underWay = true
    this.spent = false
    this.#text.begin(isText(info))
    if (isPart(info)) this.#base = this.#end = this.filled = 0
    else this.#useScratch()
  }

  /** A short message that came whole is inflated in the thread's scratch, any other in a region that grows. */
  #useScratch(): void {
    this.#base = scratchOfThread('inflate')
    this.#end = this.#base + SCRATCH_LENGTH
    this.filled = 0
  }

  /** Step by step; false if the rest must wait. */
  #steps(pointer: number, length: number): boolean {
    const { pressure, shared } = this.#target
    for (;;) {
      const goesOn = this.#inflate(pointer + this.#taken, length - this.#taken)
      if (shared.slices.spend(costOf(this.#inflater.consumed, this.#inflater.written))) pressure.yield(shared.slices)
      if (!goesOn) return true
      if (!this.#makeRoom() || !pressure.accepts) return this.#leaveScratch()
    }
  }

  /**
   * A job for a long part of a message, if there is a thread and memory for it. What is streamed is not handed over: it is
   * read a piece at a time, and no piece is long.
   */
  #handOver(pointer: number, length: number): InflateJob | undefined {
    const { shared, sink } = this.#target
    if (length < LONG.inflate || shared.streamThreshold !== undefined || codecThreads() === undefined) return undefined
    if (!this.#makeRoomFor(length)) return undefined
    this.#job = InflateJob.of(shared.heap, shared.budget, sink, pointer, length)
    return this.#job
  }

  /** Goes on with what was handed over: false if the rest must wait, for a thread among others. */
  #goesOn(job: InflateJob): boolean {
    const result = job.takeResult()
    if (result === undefined || !this.#takes(job, result)) {
      const threads = codecThreads()
      if (this.#underWay && !job.failed && threads !== undefined) {
        if ((this.#makeRoomFor(job.left) || this.#makeRoom()) && this.#target.pressure.accepts) this.#run(job, threads)
        return false
      }
      if (!this.#steps(job.pointer, job.left)) {
        job.taken += this.#taken
        return false
      }
    }
    if (this.#job === job) job.free() // unless the message was given up
    this.#job = undefined
    return true
  }

  /** Takes what a thread has come to; whether that is all. */
  #takes(job: InflateJob, { status, consumed, written, text }: TaskResult): boolean {
    job.taken += consumed
    if (!this.#counts(status, consumed, written)) return true
    if (text !== undefined && !this.#text.goesOn(text)) return !this.#violates('INVALID_UTF8')
    return status === INFLATE_MORE
  }

  /** Nothing more is read until the thread is done. */
  #run(job: InflateJob, threads: CodecThreads): void {
    const { pressure, shared } = this.#target
    const at = this.#base + this.filled
    const room = Math.min(this.#end - at, MOST_GROWTH)
    const task = this.#inflater.task(job.pointer, job.left, this.#base, at, room, longestOf(shared))
    const done = (): void => pressure.resumeNow(Reason.inflating)
    pressure.pause(Reason.inflating)
    void job.run(threads, this.#inflater, { ...task, text: this.#text.progress }, done)
  }

  /** Counts what a step or a thread has done; false if that was a violation. */
  #counts(status: number, consumed: number, written: number): boolean {
    this.filled += written
    this.#parts.tally?.received(written, consumed)
    return status === INFLATE_MORE || status === INFLATE_ROOM || this.#violates(violationOf(status))
  }

  /** One step; whether there is more to do for it. */
  #inflate(from: number, length: number): boolean {
    if (!this.#underWay) return false
    const inflater = this.#inflater
    const at = this.#base + this.filled
    const input = Math.min(length, INPUT)
    const room = Math.min(this.#end - at, STEP)
    const status = inflater.inflate(from, input, this.#base, at, room, longestOf(this.#target.shared))
    this.#taken += inflater.consumed
    if (!this.#counts(status, inflater.consumed, inflater.written)) return false
    if (!this.#text.takes(at, inflater.written)) return this.#violates('INVALID_UTF8')
    return status === INFLATE_ROOM || input < length
  }

  /** The next message of anybody is inflated in the scratch: what waits can't wait there. */
  #leaveScratch(): false {
    if (this.#underWay && this.#base === scratchOfThread('inflate') && this.filled > 0) this.#moveOn()
    return false
  }

  /** Room for what a part may become, so that one task does for it; false if the budget has not got that much. */
  #makeRoomFor(length: number): boolean {
    const wanted = this.filled + roomFor(length)
    if (this.#assembly !== undefined && this.#end - this.#base >= wanted) return true
    return this.#target.shared.budget.hasRegion(Region.size(wanted, wanted)) && this.#grow(wanted)
  }

  /** Room for the next step; false if it must be waited for. */
  #makeRoom(): boolean {
    return this.#base + this.filled < this.#end || this.#moveOn()
  }

  /** A longer region for what is there, or the reader takes it; false if that must be waited for. */
  #moveOn(): boolean {
    const { shared, pressure } = this.#target
    if (this.#flow !== undefined || this.filled >= (shared.streamThreshold ?? Infinity)) {
      this.#streamPart()
      return pressure.accepts
    }
    const isShort = this.#base === scratchOfThread('inflate')
    if (this.#grow(longerThan(this.filled))) return true
    if (isShort && this.filled > 0) this.#violates('MEMORY_SPENT')
    else pressure.pause(Reason.budget)
    return false
  }

  /** A region for `wanted` bytes of the message; false if the budget must first get free. */
  #grow(wanted: number): boolean {
    const { shared, sink } = this.#target
    const { maxMessage, payloadTimeout } = shared.limits
    this.#assembly ??= new Assembly(shared.budget, sink, payloadTimeout)
    // No more than the longest message: the budget keeps so much for the oldest one, and more might never be free.
    this.needed = Math.min(wanted, maxMessage)
    this.announced = announcedFor(this.needed, this.filled, this.#coming, maxMessage)
    return this.#assembly.grow(shared.heap, this)
  }

  /** Hands out what is there. From here on, the message is handed out in parts. */
  #streamPart(): void {
    const { shared, sink, deliverer } = this.#target
    const [base, filled] = [this.#base, this.filled]
    this.#inflater.keep(base, filled) // before the application is shown it, which may write to it
    const region = this.#assembly?.finish()
    this.#assembly = undefined
    this.#useScratch()
    if (this.#flow === undefined) {
      this.#flow = new Flow(shared.budget, sink, shared.limits.payloadTimeout)
      deliverer.streamBegins(this.#text.isText, undefined)
    }
    deliverer.streamPart(base, filled, false)
    region?.release()
  }

  #finish(): void {
    if (!this.#inflater.end()) return void this.#violates('INVALID_DEFLATE')
    if (!this.#text.isWhole) return void this.#violates('INVALID_UTF8')
    if (this.#parts.inflation.takesOver) this.#inflater.keep(this.#base, this.filled)
    else this.spent = true
    const isStreamed = this.#flow !== undefined
    const region = this.#assembly?.finish()
    this.#assembly = undefined
    this.drop()
    const info = messageInfo(this.#text.isText, this.#text.isAscii, region !== undefined)
    if (isStreamed) this.#target.deliverer.streamPart(this.#base, this.filled, true)
    else this.#target.deliverer.take(info, this.#base, this.filled, region)
  }

  #violates(name: ViolationName): false {
    const { sink, shared } = this.#target
    const detail = name === 'INVALID_DEFLATE' ? this.#inflater.corruption : limitOf(name, shared.limits)
    this.drop()
    sink.violated(new ProtocolViolation(name, detail), true)
    return false
  }
}
