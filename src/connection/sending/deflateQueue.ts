// What a connection sends while a long message of it is compressed elsewhere: all of it follows, in order. What is long
// itself is compressed when its turn has come; what is short is encoded at once, as it is.
import { OutOfMemory } from '../../codec/codec.js'
import { FIN } from '../../codec/frames.js'
import { runOutside } from '../../internals/context.js'
import { report } from '../../internals/report.js'
import type { Budget, Holder } from '../../memory/budget.js'
import type { SharedMemory } from '../../memory/sharedBlock.js'
import { Queue } from '../../time/queue.js'
import type { DeflatedBytes } from '../deflateTally.js'
import { type Message, messageInternals } from '../message.js'
import { Backlog, type FrameTarget } from './backlog.js'
import type { DeflatedForm } from './deflatedForm.js'
import { DeflateJob, type JobContext } from './deflateJob.js'
import { type Deflation, write } from './deflation.js'
import { mostBytes } from './encoder.js'
import type { Outgoing } from './outgoing.js'
import { Pinned } from './pinned.js'

/** Bytes that the objects of a part cost. */
const OBJECTS = 512

/** Milliseconds that what waits may take at a time, before others have their turn. */
const SHARE = 2

/** The most that waits here. When more is sent, what waits is compressed at once, by whoever sends so much. */
const MOST_WAITING = 16 * 1024 * 1024

/** Shorter messages are not worth a block of their own while they wait. */
export const SHORT = 1024

export interface DeflateQueueContext extends JobContext {
  readonly budget: Budget
}

/** Whose messages wait here. */
export interface DeflateQueueOwner {
  readonly outgoing: Outgoing
  readonly deflation: Deflation
  readonly holder: Holder
  /** Puts a message into the output that is compressed for many, or as it is. Throws OutOfMemory. */
  put(form: DeflatedForm): void
  /** Nothing waits any more: all of it is in the output. */
  emptied(): void
  /** There is no memory for what is to be sent. Throws any other error. */
  memorySpent(error: unknown): unknown
}

/** A piece of a message that is to be compressed; `first` is the first byte of its frame. */
interface Piece {
  readonly first: number
  readonly payload: Pinned
  job: DeflateJob | undefined
}

/** Frames that are encoded already, some of them compressed for many, perhaps. */
interface Frames {
  readonly backlog: Backlog
  readonly deflated: DeflatedBytes[]
}

/** A message that is compressed once for many, and the frame as it is, which is kept meanwhile. */
interface Shared {
  readonly form: DeflatedForm
  readonly plain: Pinned
  /** Whether it is to be told when the message is compressed. */
  waits: boolean
}

type Part = Piece | Frames | Shared

export class DeflateQueue implements FrameTarget {
  readonly #context: DeflateQueueContext
  readonly #owner: DeflateQueueOwner
  readonly #parts = new Queue<Part>()
  /** Bytes that wait here. */
  bytes = 0

  constructor(context: DeflateQueueContext, owner: DeflateQueueOwner) {
    this.#context = context
    this.#owner = owner
  }

  /** Whether anything waits here, so that what is sent must follow it. */
  get busy(): boolean {
    return this.#parts.length > 0
  }

  /** Makes room for `length` bytes more, if it must. */
  makeRoom(length: number): void {
    if (this.bytes + length > MOST_WAITING) this.finish()
  }

  /** Takes a piece of a message. Throws OutOfMemory, and has not taken it then. */
  piece(first: number, data: string | Uint8Array | Message): void {
    const idle = !this.busy
    const piece = { first, payload: this.#payload(data), job: undefined }
    this.#parts.push(piece)
    this.bytes += piece.payload.length
    if (idle) this.#goOn()
  }

  /** Takes a message that is compressed once for many. */
  form(form: DeflatedForm): void {
    const { budget } = this.#context
    const idle = !this.busy
    const { memory, pointer, length } = form.plain
    form.retain()
    this.#parts.push({
      form,
      plain: new Pinned(budget, this.#owner.holder, memory, pointer, length, OBJECTS),
      waits: false,
    })
    this.bytes += length
    if (idle) this.#goOn()
  }

  /** Frames that are encoded already (FrameTarget). */
  addFrames(memory: SharedMemory, pointer: number, length: number): void {
    this.frames((backlog) => backlog.add(memory, pointer, length))
  }

  addShared(memory: SharedMemory, pointer: number, length: number): void {
    this.addFrames(memory, pointer, length)
  }

  /** Takes what `add` puts into a backlog, of which some may be compressed for many. Throws what `add` throws. */
  frames(add: (backlog: Backlog) => void, deflated?: DeflatedBytes): void {
    const { backlog, deflated: all } = this.#lastFrames
    const before = backlog.bytes
    add(backlog)
    this.bytes += backlog.bytes - before
    if (deflated !== undefined) all.push(deflated)
  }

  /** Puts all that waits into the output now, compressed on the spot. */
  finish(): void {
    if (!this.busy) return
    for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) this.#put(part)
    this.#owner.emptied()
  }

  /** Nothing more is sent: what waits is given up. */
  drop(): void {
    for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) {
      if ('payload' in part) this.#leave(part)
      else if ('form' in part) this.#release(part)
      else part.backlog.drop()
    }
    this.bytes = 0
  }

  get #lastFrames(): Frames {
    const { last } = this.#parts
    if (last !== undefined && 'backlog' in last) return last
    const frames: Frames = { backlog: new Backlog(this.#context, this.#owner.holder), deflated: [] }
    this.#parts.push(frames)
    return frames
  }

  /** The bytes of a piece, in memory that stays: where a message lies, or in a copy. */
  #payload(data: string | Uint8Array | Message): Pinned {
    const { budget, heap } = this.#context
    const { holder } = this.#owner
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      const region = messageInternals.region(data)
      if (region === undefined) return this.#payload(data.view)
      return new Pinned(budget, holder, region, messageInternals.pointer(data), data.byteLength, OBJECTS)
    }
    const most = typeof data === 'string' ? mostBytes(data) : data.length
    const pinned = Pinned.block(budget, holder, heap, most, OBJECTS)
    pinned.extend(write(heap.codec, pinned.pointer, data, most))
    return pinned
  }

  /** Puts into the output what has its turn, until a long piece has to be compressed first, or others have theirs. */
  #goOn(): void {
    const until = performance.now() + SHARE
    for (let part = this.#parts.first; part !== undefined; part = this.#parts.first) {
      if ('payload' in part && (part.job !== undefined || this.#begin(part))) return
      if ('form' in part && !part.form.settled) return this.#await(part)
      if (performance.now() > until) return this.#context.slices.later(() => this.#goOn())
      this.#parts.shift()
      this.#put(part)
    }
    this.#owner.emptied()
  }

  /** Has a piece compressed elsewhere; false if that does not pay, or there is no memory for it. */
  #begin(piece: Piece): boolean {
    const { deflation, holder } = this.#owner
    const { pointer, length } = piece.payload
    if (length < deflation.shared.engines.long || deflation.goesPlain(piece.first)) return false
    try {
      const engine = deflation.engineFor(piece.first)
      const job = new DeflateJob(this.#context, engine, pointer, length, (piece.first & FIN) !== 0)
      if (this.#context.budget.keep(holder, job.size)) piece.job = job
      else job.free()
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
    }
    if (piece.job === undefined) return false
    void this.#run(piece, piece.job)
    return true
  }

  async #run(piece: Piece, job: DeflateJob): Promise<void> {
    const { size } = job
    let done = false
    try {
      await job.run()
      done = true
    } catch (error) {
      if (!(error instanceof OutOfMemory)) report(error)
    }
    this.#context.budget.release(this.#owner.holder, size)
    if (!job.givenUp) return runOutside(() => this.#settled(piece, job, done))
    job.free()
    this.#unpin(piece)
  }

  /** The piece that has its turn is compressed, or could not be: then it is compressed on the spot, or sent as it is. */
  #settled(piece: Piece, job: DeflateJob, done: boolean): void {
    this.#parts.shift()
    piece.job = undefined
    if (done && this.#sent(piece, job)) this.#leave(piece)
    else {
      job.free()
      this.#put(piece)
    }
    this.#goOn()
  }

  /** Sends what a job has made of a piece; false where there is no memory for that, and nothing has happened. */
  #sent({ first, payload }: Piece, job: DeflateJob): boolean {
    const { deflation, outgoing } = this.#owner
    try {
      deflation.shared.encoder.payload(outgoing, first, job.pointer, job.written)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      return false
    }
    job.takeOver()
    deflation.took(first, payload.length, job.written)
    return true
  }

  /** Puts a part into the output now. */
  #put(part: Part): void {
    const { deflation, outgoing } = this.#owner
    try {
      if ('payload' in part) deflation.frame(outgoing, part.first, part.payload.pointer, part.payload.length)
      else if ('form' in part) this.#owner.put(part.form)
      else this.#putFrames(part)
    } catch (error) {
      this.#owner.memorySpent(error)
    }
    if ('payload' in part) this.#leave(part)
    else if ('form' in part) this.#release(part)
  }

  /** Goes on when a message is compressed that has its turn: if it is still there then, it has its turn still. */
  #await(part: Shared): void {
    if (part.waits) return
    part.waits = true
    part.form.whenSettled(() => {
      if (this.#parts.first === part) this.#goOn()
    })
  }

  #release({ form, plain }: Shared): void {
    this.bytes -= plain.length
    plain.unpin(this.#context.budget, this.#owner.holder)
    form.release()
  }

  #putFrames({ backlog, deflated }: Frames): void {
    this.bytes -= backlog.bytes
    for (const bytes of deflated) this.#owner.deflation.passed(bytes)
    backlog.moveTo(this.#owner.outgoing)
  }

  /** A piece needs its payload no more, unless a thread still reads it. */
  #leave(piece: Piece): void {
    this.bytes -= piece.payload.length
    if (piece.job === undefined) this.#unpin(piece)
    else piece.job.givenUp = true
  }

  #unpin({ payload }: Piece): void {
    payload.unpin(this.#context.budget, this.#owner.holder)
  }
}
