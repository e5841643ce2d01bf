// The sending side of a connection whose peer reads compressed messages (RFC 7692). Nobody else pays for it: where nothing
// was agreed on, a connection has a plain Sender.
import { OutOfMemory } from '../../codec/codec.js'
import { FIN, OPCODE_BINARY, OPCODE_CLOSE, OPCODE_TEXT, RSV1 } from '../../codec/frames.js'
import type { SharedMemory } from '../../memory/sharedBlock.js'
import type { Lifecycle } from '../../protocol/lifecycle.js'
import type { Transport } from '../../transport/transport.js'
import type { Sendable, SendResult } from '../connection.js'
import type { DeflatedBytes, DeflateStatistics, DeflateTally } from '../deflateTally.js'
import { Message } from '../message.js'
import type { Owner } from '../owner.js'
import type { Tally } from '../subscriber.js'
import type { DeflatedForm } from './deflatedForm.js'
import { DeflateQueue, type DeflateQueueContext, SHORT } from './deflateQueue.js'
import { Deflation, type DeflationShared, firstOfFragment } from './deflation.js'
import { tellDrained } from './drained.js'
import { bytesOf, type FrameBuffer } from './encoder.js'
import { PreparedMessage } from './prepared.js'
import { checkSendable, encode, exactBytes, isText } from './sendable.js'
import { Sender } from './sender.js'
import type { SenderContext } from './senderShared.js'

export class DeflatingSender extends Sender {
  readonly deflation: Deflation
  declare protected readonly shared: SenderContext & DeflateQueueContext
  /** What waits for a long message; made for the first one. */
  #queue: DeflateQueue | undefined

  constructor(
    { deflation, tally }: DeflatingParts,
    shared: SenderContext & DeflateQueueContext,
    transport: Transport,
    lifecycle: Lifecycle,
    owner: Owner,
  ) {
    super(shared, transport, lifecycle, owner)
    this.deflation = new Deflation(deflation, tally)
  }

  override get buffered(): number {
    return super.buffered + (this.#queue?.bytes ?? 0)
  }

  /** Fragments are compressed here, too (FragmentSender). */
  get framer(): this {
    return this
  }

  /** Where frames go that follow a message in fragments, if they must wait (FragmentSender). */
  get behind(): DeflateQueue | undefined {
    return this.#queue?.busy === true ? this.#queue : undefined
  }

  /**
   * `compress` is whether the message is compressed; undefined goes by its length. What waits for the end of a stream is
   * not compressed: the window would not be what it is when the message follows.
   */
  override send(data: Sendable, compress?: boolean): SendResult {
    if (this.#amid) return super.send(data)
    try {
      this.catchUp()
      checkSendable(data)
      const form = this.deflation.formOf(data, compress)
      if (form !== undefined) return this.#sendForm(form)
      if (this.behind !== undefined || this.#isLong(data, compress)) return this.#sendBehind(data, compress)
      return this.#sendNow(data, compress)
    } catch (error) {
      return this.memorySpent(error)
    }
  }

  #sendNow(data: Sendable, compress: boolean | undefined): SendResult {
    if (compress === false) return super.send(data)
    const refused = this.refused(data)
    if (refused !== undefined) return refused
    try {
      this.deflation.send(this.outgoing, data, compress)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      return super.send(data) // as it is: perhaps there is memory for that
    }
    return this.framed()
  }

  #sendForm(form: DeflatedForm): SendResult {
    const { length } = form.plain
    const refused = this.#refusedBehind(length)
    if (refused !== undefined) return refused
    const queue = this.#openQueue
    queue.makeRoom(length)
    if (!queue.busy && form.settled) this.put(form)
    else queue.form(form)
    return this.framed()
  }

  /** What is compressed for many, or as it is, goes into the output (DeflateQueueOwner). */
  put({ frame: { memory, pointer, length, deflated } }: DeflatedForm): void {
    this.outgoing.addFrames(memory, pointer, length)
    if (deflated !== undefined) this.deflation.passed(deflated)
  }

  /** Whether it is compressed elsewhere. What is prepared is not: it is compressed for many, once. */
  #isLong(data: Sendable, compress: boolean | undefined): data is Compressible {
    const { long } = this.deflation.shared.engines
    const least = typeof data === 'string' ? data.length : data.byteLength // a text has no fewer bytes than units
    return least >= long && this.#isCompressed(data, least, compress)
  }

  #isCompressed(data: Sendable, length: number, compress: boolean | undefined): data is Compressible {
    if (compress === false || (typeof data !== 'string' && data instanceof PreparedMessage)) return false
    return length >= this.deflation.least(compress)
  }

  /** A message that has to wait: it is long, or something else waits already. */
  #sendBehind(data: Sendable, compress: boolean | undefined): SendResult {
    const length = exactBytes(data)
    const refused = this.#refusedBehind(length)
    if (refused !== undefined) return refused
    const queue = this.#openQueue
    queue.makeRoom(length)
    const isLong = this.#isLong(data, compress)
    if (!queue.busy && !isLong) return this.#sendNow(data, compress)
    if (isLong || (length >= SHORT && this.#isCompressed(data, length, compress))) {
      const opcode = isText(data) ? OPCODE_TEXT : OPCODE_BINARY
      if (!this.#piece(FIN | RSV1 | opcode, pieceOf(data))) return this.#sendNow(data, compress)
    } else this.#frames(queue, data, compress)
    return this.framed()
  }

  /** A message that waits as a frame: what is prepared may be compressed, all else is not. */
  #frames(queue: DeflateQueue, data: Sendable, compress: boolean | undefined): void {
    if (typeof data !== 'string' && data instanceof PreparedMessage && compress !== false) {
      const { memory, length, deflated } = this.deflation.prepared(data, this.deflation.least(compress))
      queue.frames((backlog) => backlog.add(memory, memory.pointer, length), deflated)
    } else queue.frames((backlog) => encode(this.shared.encoder, backlog, data))
  }

  /** What `send` answers instead of taking a message that waits here: no more may wait, or nothing can be sent. */
  #refusedBehind(length: number): SendResult | undefined {
    return this.admits() ? this.overflows(length, undefined, this.buffered) : 'closed'
  }

  /** Has a piece of a message wait; false where there is no memory for that. Then nothing waits, and it may be sent now. */
  #piece(first: number, data: string | Uint8Array | Message): boolean {
    try {
      this.#openQueue.piece(first, data)
      return true
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      this.#openQueue.finish()
      return false
    }
  }

  get #openQueue(): DeflateQueue {
    this.#queue ??= new DeflateQueue(this.shared, this)
    return this.#queue
  }

  /** What `send` answers. While something waits here, `drain` is owed, and the peer is not read from above the limit. */
  override framed(): SendResult {
    if (this.behind === undefined) return super.framed()
    this.drainOwed = true
    if (this.buffered > this.shared.limits.outputLimit) this.hold()
    return 'buffered'
  }

  /** A fragment of a message, in a frame: at once, or behind what waits. */
  fragment(buffer: FrameBuffer, opcode: number, data: string | Uint8Array, last: boolean): void {
    const length = data.length // of text, no more than its bytes
    const { deflation } = this
    this.#queue?.makeRoom(length)
    const waits = this.behind !== undefined || length >= deflation.shared.engines.long
    if (waits && this.#piece(firstOfFragment(opcode, last), data)) return
    deflation.fragment(buffer, opcode, data, last)
  }

  /** Nothing waits any more: what waited for that goes on, and `drain` may be due (DeflateQueueOwner). */
  emptied(): void {
    this.#relieve()
    tellDrained(this, this.lifecycle)
  }

  /** What waited here may have been written at once, of which a stream is not told otherwise. */
  override drained(): void {
    if (this.behind === undefined) this.#relieve()
    super.drained()
  }

  #relieve(): void {
    if (this.outgoing.buffered <= this.shared.limits.outputLimit / 2) this.unfinished?.relieved()
  }

  /** Whether another message is under way. */
  get #amid(): boolean {
    return this.unfinished?.underWay === true
  }

  /** While another message is under way, what is published waits, and must not be compressed either. */
  get sharedThreshold(): number | undefined {
    return this.#amid ? undefined : this.deflation.sharedThreshold
  }

  override deliver(
    memory: SharedMemory,
    pointer: number,
    length: number,
    deflated?: DeflatedBytes,
    tally?: Tally,
  ): SendResult {
    if (!this.#amid) this.#queue?.makeRoom(length)
    const { behind } = this
    if (behind !== undefined && !this.#amid) return this.#deliverBehind(behind, memory, pointer, length, deflated)
    const result = super.deliver(memory, pointer, length, deflated, tally)
    if (deflated !== undefined && (result === 'sent' || result === 'buffered')) this.deflation.passed(deflated)
    return result
  }

  deliverForm(form: DeflatedForm): SendResult {
    try {
      return this.#sendForm(form)
    } catch (error) {
      return this.memorySpent(error)
    }
  }

  #deliverBehind(
    queue: DeflateQueue,
    memory: SharedMemory,
    pointer: number,
    length: number,
    deflated: DeflatedBytes | undefined,
  ): SendResult {
    const refused = this.#refusedBehind(length)
    if (refused !== undefined) return refused
    try {
      queue.frames((backlog) => backlog.add(memory, pointer, length), deflated)
      return this.framed()
    } catch (error) {
      return this.memorySpent(error)
    }
  }

  /** After Close, nothing can be sent: what waits is compressed now, and goes first. */
  override control(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE_CLOSE) {
      this.catchUp()
      this.#queue?.finish()
    }
    super.control(opcode, payload)
  }

  override end(): void {
    super.end()
    this.#queue?.drop()
  }

  override free(): void {
    super.free()
    this.deflation.free()
  }
}

/** What was agreed on, and where the bytes are counted. */
export interface DeflatingParts {
  readonly deflation: DeflationShared
  readonly tally?: DeflateTally
}

/** What is compressed for one connection alone. */
type Compressible = Exclude<Sendable, PreparedMessage>

/** The payload of a message that waits. */
function pieceOf(data: Compressible): string | Uint8Array | Message {
  return typeof data === 'string' || data instanceof Message ? data : bytesOf(data)
}

/** What compression has come to on a connection, by its sending side; undefined where none was agreed on. */
export function deflateStatisticsOf(sender: Sender): DeflateStatistics | undefined {
  return sender instanceof DeflatingSender ? sender.deflation.tally.statistics : undefined
}
