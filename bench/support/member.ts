// One connection of a broadcast: counts what it is sent, with the codec, and may be the one that publishes.
import type { Heap } from '../../src/codec/codec.js'
import type { Dialled } from '../../src/load/dial.js'
import { type CounterOwner, MessageCounter } from '../../src/load/messageCounter.js'
import type { Batch } from '../../src/load/payload.js'
import { transportOf } from '../../src/transport/adopt.js'
import { PENDING, type Receiver, type Transport } from '../../src/transport/transport.js'

/** What the members share. */
export interface Publication {
  readonly heap: Heap
  readonly batch: Batch
  /** Messages published so far: no member can have more. */
  readonly published: number
  /** So many deliveries came, or a batch was written. */
  arrived(count: number): void
  failed(reason: string): void
}

export class Member implements Receiver, CounterOwner {
  readonly #publication: Publication
  readonly #transport: Transport
  readonly #counter: MessageCounter
  #delivered = 0
  #ending = false
  #gone = false
  #closed: () => void = () => undefined

  constructor(publication: Publication, { stream, early }: Dialled) {
    this.#publication = publication
    const { heap, batch } = publication
    this.#counter = new MessageCounter(heap, batch.answers, this)
    this.#counter.begin()
    this.#transport = transportOf(stream)
    this.#transport.open(this)
    if (early.length > 0) this.failed('the server sent something before anything was published')
  }

  /** Sends the batch; tells that it is written as if that were a delivery, for it must be waited for, too. */
  publish(): void {
    const { pointer, length } = this.#publication.batch
    const status = this.#transport.write(pointer, length)
    if (status !== PENDING) this.written(status)
  }

  /** Ends the connection; resolves when it has ended. */
  end(): Promise<void> {
    this.#ending = true
    if (this.#gone) return Promise.resolve()
    const ended = new Promise<void>((resolve) => {
      this.#closed = resolve
    })
    this.#transport.close()
    return ended
  }

  received(start: number, end: number): void {
    if (this.#ending) return
    const messages = this.#counter.count(start, end)
    this.#delivered += messages
    // As nobody has more than was published, everybody has everything when the deliveries are as many as they must be.
    if (this.#delivered > this.#publication.published) this.failed('the server delivered more than was published')
    else if (messages > 0) this.#publication.arrived(messages)
  }

  ended(): void {
    this.failed('the server ended the connection')
  }

  written(status: number): void {
    if (status < 0) this.failed('the connection broke')
    else this.#publication.arrived(1)
  }

  closed(): void {
    this.#gone = true
    this.#counter.free()
    this.failed('the server ended the connection')
    this.#closed()
  }

  /** A broadcast is over before a server misses a pong. */
  pinged(): void {}

  saidClose(code: number | undefined): void {
    this.failed(`the server sent Close ${code}`)
  }

  failed(reason: string): void {
    if (this.#ending) return
    this.#ending = true
    this.#publication.failed(reason)
    this.#transport.close()
  }
}
