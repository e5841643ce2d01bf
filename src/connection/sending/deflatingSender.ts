// The sending side of a connection whose peer reads compressed messages (RFC 7692). Nobody else pays for it: where nothing
// was agreed on, a connection has a plain Sender.
import type { SharedMemory } from '../../memory/sharedBlock.js'
import type { Lifecycle } from '../../protocol/lifecycle.js'
import type { Transport } from '../../transport/transport.js'
import type { Sendable, SendResult } from '../connection.js'
import type { Owner } from '../owner.js'
import { Deflation, type DeflationShared } from './deflation.js'
import { checkSendable } from './sendable.js'
import { Sender } from './sender.js'
import type { SenderContext } from './senderShared.js'

export class DeflatingSender extends Sender {
  readonly #deflation: Deflation

  constructor(
    deflation: DeflationShared,
    shared: SenderContext,
    transport: Transport,
    lifecycle: Lifecycle,
    owner: Owner,
  ) {
    super(shared, transport, lifecycle, owner)
    this.#deflation = new Deflation(deflation)
  }

  /** Compresses fragments, too (FragmentSender). */
  get deflation(): Deflation {
    return this.#deflation
  }

  /**
   * `compress` is whether the message is compressed; undefined goes by its length. What waits for the end of another
   * message is not compressed: the window would not be what it is when the message follows.
   */
  override send(data: Sendable, compress?: boolean): SendResult {
    if (compress === false || this.#amid) return super.send(data)
    try {
      this.catchUp()
      checkSendable(data)
      const refused = this.refused(data)
      if (refused !== undefined) return refused
      this.#deflation.send(this.outgoing, data, compress)
      return this.framed()
    } catch (error) {
      return this.memorySpent(error)
    }
  }

  /** Whether another message is under way. */
  get #amid(): boolean {
    return this.unfinished?.underWay === true
  }

  /** While another message is under way, what is published waits, and must not be compressed either. */
  get sharedThreshold(): number | undefined {
    return this.#amid ? undefined : this.#deflation.sharedThreshold
  }

  override deliver(memory: SharedMemory, pointer: number, length: number, deflated = false): void {
    if (deflated) this.#deflation.forget()
    super.deliver(memory, pointer, length)
  }

  override free(): void {
    this.#deflation.free()
    super.free()
  }
}

/** The sending side of a connection, by what was agreed on. */
export function openSender(
  { deflate }: { readonly deflate?: { readonly deflation: DeflationShared } | undefined },
  shared: SenderContext,
  transport: Transport,
  lifecycle: Lifecycle,
  owner: Owner,
): Sender {
  return deflate === undefined
    ? new Sender(shared, transport, lifecycle, owner)
    : new DeflatingSender(deflate.deflation, shared, transport, lifecycle, owner)
}
