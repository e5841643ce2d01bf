// Inflates what one connection receives compressed (RFC 7692, section 7.2.2). A short message that came whole is inflated
// into the thread's scratch, any other into a region that grows with what is there of it. It goes in steps: between two of
// them the others may have their turn, the reader of a stream may fall behind, or memory may have to be waited for.
import { compressionOf, HEADROOM, type Heap, Region } from '../../codec/codec.js'
import type { TaskResult } from '../../codec/codecTask.js'
import { isPart, isText, messageInfo } from '../../codec/frames.js'
import { INFLATE_MORE, INFLATE_ROOM, Inflater } from '../../codec/inflater.js'
import { SCRATCH_LENGTH, scratchOfThread } from '../../codec/scratch.js'
import { TextCheck } from '../../codec/textCheck.js'
import { runOutside } from '../../internals/context.js'
import { Assembly, type Growing } from '../../memory/assembly.js'
import { Flow } from '../../memory/flow.js'
import { type CodecThreads, codecThreads, LONG } from '../../pool/codecThreads.js'
import { ProtocolViolation, type ViolationName } from '../../protocol/violation.js'
import type { DeflateTally } from '../deflateTally.js'
import { Reason } from '../reason.js'
import { afterJob, endJob, InflateJob } from './inflateJob.js'
import { announcedFor, costOf, INPUT, PART_EXPANSION, STEP, violationOf } from './inflateStep.js'
import { type InflationParts, type InflationTarget, longestOf } from './inflationParts.js'
import { DONE } from './parkedRead.js'
import { limitOf } from './sink.js'

/** What the first region of a message holds, and the most by which one grows. */
const LEAST_REGION = 1008
const MOST_GROWTH = 1024 * 1024

export class Inflation implements Growing {
  /** Whether it has given back everything: a message that others do not refer to is done. */
  spent = false
  /** What the message's region must hold to go on, and what is there (Growing). */
  needed = 0
  filled = 0
  /** A guess: addresses are kept free for a long message, as to move megabytes would take as long as a turn (Growing). */
  announced = 0
  /** Where it ends is not known (Growing). */
  readonly frameIsFinal = false
  readonly target: InflationTarget
  readonly #heap: Heap
  readonly #inflater: Inflater
  /** Whether messages refer to those before them. */
  readonly #takesOver: boolean
  readonly #scratch: number
  /** Where the message, or what is there of a stream and not handed out, begins, and where its room ends. */
  #base = 0
  #end = 0
  #underWay = false
  /** Bytes of the part under way that are inflated, and of the part and of what follows it in its frame. */
  #taken = 0
  #coming = 0
  #isText = false
  readonly #text: TextCheck
  #assembly: Assembly | undefined
  /** The message under way, if it is handed out in parts. */
  #flow: Flow | undefined
  /** The part of it that was handed to a thread, and the last one that was given up: a thread may be at work on that. */
  #job: InflateJob | undefined
  #away: InflateJob | undefined
  readonly #tally: DeflateTally | undefined

  constructor(target: InflationTarget, { inflation: { windowBits, takesOver }, tally }: InflationParts) {
    const { heap, anyText } = target.shared
    this.target = target
    this.#heap = heap
    this.#inflater = new Inflater(compressionOf(heap), windowBits)
    this.#text = new TextCheck(heap.codec, anyText)
    this.#scratch = scratchOfThread('inflate')
    this.#takesOver = takesOver
    this.#tally = tally
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
    if (!this.#underWay) return DONE
    if (!isPart(info)) this.#finish()
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
    endJob(this.#job, () => region?.release())
    this.#job = undefined
  }

  /** Gives back everything. */
  free(): void {
    this.drop()
    if (!this.spent) afterJob(this.#away, () => this.#inflater.free())
    this.spent = true
  }

  /** The message's region is here, with what was in the one before (Growing). */
  grant(region: Region): void {
    if (this.#base === this.#scratch) this.#heap.codec.call.copy(region.pointer, this.#base, this.filled)
    this.#base = region.pointer
    this.#end = region.pointer + region.capacity
  }

  #begin(info: number): void {
    this.#underWay = true
    this.#isText = isText(info)
    this.#text.begin()
    if (isPart(info)) this.#base = this.#end = this.filled = 0
    else this.#useScratch()
  }

  #useScratch(): void {
    this.#base = this.#scratch
    this.#end = this.#base + SCRATCH_LENGTH
    this.filled = 0
  }

  /** Step by step; false if the rest must wait. */
  #steps(pointer: number, length: number): boolean {
    const { pressure, shared } = this.target
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
    const { shared, sink } = this.target
    if (length < LONG.inflate || shared.streamThreshold !== undefined || codecThreads() === undefined) return undefined
    const wanted = this.filled + Math.min(PART_EXPANSION * length, MOST_GROWTH)
    if (this.#assembly === undefined || this.#end - this.#base < wanted) {
      if (!shared.budget.hasRegion(Region.size(wanted, wanted)) || !this.#grow(wanted)) return undefined
    }
    this.#job = InflateJob.of(this.#heap, shared.budget, sink, pointer, length)
    return this.#job
  }

  /** Goes on with what was handed over: false if the rest must wait, for a thread among others. */
  #goesOn(job: InflateJob): boolean {
    const { pressure } = this.target
    const { result } = job
    job.result = undefined
    if (result === undefined || !this.#takes(job, result)) {
      const threads = codecThreads()
      if (this.#underWay && !job.failed && threads !== undefined) {
        if (this.#makeRoom() && pressure.accepts) this.#run(job, threads)
        return false
      }
      if (!this.#steps(job.pointer, job.length - job.taken)) {
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
    this.#counts(consumed, written)
    if (status !== INFLATE_MORE && status !== INFLATE_ROOM) return !this.#violates(violationOf(status))
    if (text !== undefined && !this.#text.goesOn(text)) return !this.#violates('INVALID_UTF8')
    return status === INFLATE_MORE
  }

  /** Nothing more is read until the thread is done. */
  #run(job: InflateJob, threads: CodecThreads): void {
    const { pressure } = this.target
    const at = this.#base + this.filled
    const room = Math.min(this.#end - at, MOST_GROWTH)
    const text = this.#isText ? this.#text.progress : undefined
    const longest = longestOf(this.target.shared)
    const task = this.#inflater.task(job.pointer, job.length - job.taken, this.#base, at, room, longest)
    pressure.pause(Reason.inflating)
    const done = (): void => runOutside(() => pressure.resumeNow(Reason.inflating))
    void job.run(threads, this.#inflater, { ...task, text }, done)
  }

  #counts(consumed: number, written: number): void {
    this.filled += written
    this.#tally?.received(written, consumed)
  }

  /** One step; whether there is more to do for it. */
  #inflate(from: number, length: number): boolean {
    if (!this.#underWay) return false
    const inflater = this.#inflater
    const at = this.#base + this.filled
    const input = Math.min(length, INPUT)
    const longest = longestOf(this.target.shared)
    const status = inflater.inflate(from, input, this.#base, at, Math.min(this.#end - at, STEP), longest)
    this.#taken += inflater.consumed
    this.#counts(inflater.consumed, inflater.written)
    if (status !== INFLATE_MORE && status !== INFLATE_ROOM) return this.#violates(violationOf(status))
    if (this.#isText && !this.#text.takes(at, inflater.written)) return this.#violates('INVALID_UTF8')
    return status === INFLATE_ROOM || input < length
  }

  /** The next message of anybody is inflated in the scratch: what waits can't wait there. */
  #leaveScratch(): false {
    if (this.#underWay && this.#base === this.#scratch && this.filled > 0) this.#moveOn()
    return false
  }

  /** Room for the next step; false if it must be waited for. */
  #makeRoom(): boolean {
    return this.#base + this.filled < this.#end || this.#moveOn()
  }

  /** A longer region for what is there, or the reader takes it; false if that must be waited for. */
  #moveOn(): boolean {
    const { shared, pressure } = this.target
    if (this.#flow !== undefined || this.filled >= (shared.streamThreshold ?? Infinity)) {
      this.#streamPart()
      return pressure.accepts
    }
    const isShort = this.#base === this.#scratch
    if (this.#grow(Math.max(LEAST_REGION, this.filled + Math.min(this.filled - HEADROOM, MOST_GROWTH)))) return true
    if (isShort && this.filled > 0) this.#violates('MEMORY_SPENT')
    else pressure.pause(Reason.budget)
    return false
  }

  /** A region for `wanted` bytes of the message; false if the budget must first get free. */
  #grow(wanted: number): boolean {
    const { shared, sink } = this.target
    const { maxMessage, payloadTimeout } = shared.limits
    this.#assembly ??= new Assembly(shared.budget, sink, payloadTimeout)
    // No more than the longest message: the budget keeps so much for the oldest one, and more might never be free.
    this.needed = Math.min(wanted, maxMessage)
    this.announced = announcedFor(this.needed, this.filled, this.#coming, maxMessage)
    return this.#assembly.grow(this.#heap, this)
  }

  /** Hands out what is there. From here on, the message is handed out in parts. */
  #streamPart(): void {
    const { shared, sink, deliverer } = this.target
    const [base, filled] = [this.#base, this.filled]
    this.#inflater.keep(base, filled) // before the application is shown it, which may write to it
    const region = this.#assembly?.finish()
    this.#assembly = undefined
    this.#useScratch()
    if (this.#flow === undefined) {
      this.#flow = new Flow(shared.budget, sink, shared.limits.payloadTimeout)
      deliverer.streamBegins(this.#isText, undefined)
    }
    deliverer.streamPart(base, filled, false)
    region?.release()
  }

  #finish(): void {
    const { deliverer } = this.target
    const [base, filled] = [this.#base, this.filled]
    if (!this.#inflater.end()) return void this.#violates('INVALID_DEFLATE')
    if (this.#isText && !this.#text.isWhole) return void this.#violates('INVALID_UTF8')
    if (this.#takesOver) this.#inflater.keep(base, filled)
    const isStreamed = this.#flow !== undefined
    const region = this.#assembly?.finish()
    this.#assembly = undefined
    if (this.#takesOver) this.drop()
    else this.free()
    if (isStreamed) deliverer.streamPart(base, filled, true)
    else deliverer.take(messageInfo(this.#isText, this.#text.isAscii, region !== undefined), base, filled, region)
  }

  #violates(name: ViolationName): false {
    const { sink, shared } = this.target
    const detail = name === 'INVALID_DEFLATE' ? this.#inflater.corruption : limitOf(name, shared.limits)
    this.drop()
    sink.violated(new ProtocolViolation(name, detail))
    return false
  }
}
