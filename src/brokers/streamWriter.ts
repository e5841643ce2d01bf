// What leaves for a stream: everything in order, and nothing is given up before it is confirmed. One command is on its
// way at a time. What is published meanwhile is the next one, and a command that was refused or lost is sent again
// before any other, so that its doubles come before what follows it.
import { callerError } from '../checks/errors.js'
import { Queue } from '../time/queue.js'
import { Soon } from '../time/soon.js'
import { BATCH_BYTES } from './publication.js'
import { isRefusal, type RedisClient } from './redisConnection.js'
import { delayAfter } from './retry.js'
import { append, type StreamEntry } from './streamCommands.js'

/** An entry that is not confirmed. */
interface Outgoing extends StreamEntry {
  /** Publications in it. */
  readonly count: number
  /** It may be in the stream already. */
  wasSent: boolean
}

/** Somebody waits until so many publications have been confirmed. */
interface Waiting {
  readonly until: number
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

export interface StreamWriterOptions {
  readonly key: string
  readonly publisher: number
  /** Entries that the stream keeps, about. */
  readonly maxLength: number
  /** Bytes that may wait. */
  readonly maxBuffered: number
  readonly refused: (error: Error) => void
}

export class StreamWriter {
  readonly #options: StreamWriterOptions
  readonly #records = new Queue<Buffer>()
  readonly #soon = new Soon(() => this.#next())
  #client: RedisClient | undefined
  /** The entry that is on its way, or has to be sent again. */
  #outgoing: Outgoing | undefined
  /** The attempt to send it, while its end is open. */
  #attempt: object | undefined
  #retry: NodeJS.Timeout | undefined
  #refusals = 0
  #entries = 0
  /** Bytes that are not confirmed. */
  #buffered = 0
  /** Publications that were taken, and those of them that are confirmed. */
  #taken = 0
  #confirmed = 0
  /** What was taken up to here waited while Redis was away, or may have been sent twice. */
  #lateUntil = 0
  #waiting: Waiting[] = []
  /** Publications that were confirmed late. */
  late = 0

  constructor(options: StreamWriterOptions) {
    this.#options = options
  }

  /** Publications that wait for their confirmation. */
  get queued(): number {
    return this.#taken - this.#confirmed
  }

  /** Those of them that may be in the stream nevertheless. */
  get unconfirmed(): number {
    return this.#outgoing?.wasSent === true ? this.#outgoing.count : 0
  }

  get isFull(): boolean {
    return this.#buffered >= this.#options.maxBuffered
  }

  add(record: Buffer): void {
    this.#records.push(record)
    this.#buffered += record.length
    this.#taken++
    this.#soon.ask()
  }

  /** Redis is there, by a connection that nothing was sent on. */
  up(client: RedisClient): void {
    this.#client = client
    this.#lateUntil = this.#taken
    this.#next()
  }

  /** The connection is lost. */
  down(): void {
    this.#client = undefined
    this.#attempt = undefined
    clearTimeout(this.#retry)
    this.#retry = undefined
  }

  /** Resolves when everything that was added before is confirmed; rejects if the writer ends before. */
  confirmed(): Promise<void> {
    if (this.queued === 0) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ until: this.#taken, resolve, reject }))
  }

  /** Gives up what is not confirmed. */
  end(): void {
    this.down()
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting)
      reject(callerError('ERR_NOT_CONFIRMED', 'the broker was closed before Redis had confirmed the publication'))
  }

  #next(): void {
    const client = this.#client
    if (client === undefined || this.#attempt !== undefined || this.#retry !== undefined) return
    this.#outgoing ??= this.#gather()
    if (this.#outgoing !== undefined) this.#send(client, this.#outgoing)
  }

  /** The next entry: what waits, as far as one message may hold it. */
  #gather(): Outgoing | undefined {
    const records: Buffer[] = []
    for (let bytes = 0; bytes < BATCH_BYTES; ) {
      const record = this.#records.shift()
      if (record === undefined) break
      records.push(record)
      bytes += record.length
    }
    const [first] = records
    if (first === undefined) return undefined
    const message = records.length === 1 ? first : Buffer.concat(records)
    const { publisher } = this.#options
    return { publisher, number: ++this.#entries, records: message, count: records.length, wasSent: false }
  }

  #send(client: RedisClient, outgoing: Outgoing): void {
    const attempt = {}
    this.#attempt = attempt
    const { wasSent } = outgoing
    outgoing.wasSent = true
    append(client, this.#options.key, outgoing, this.#options.maxLength).then(
      () => attempt === this.#attempt && this.#settle(outgoing),
      (error: Error) => {
        if (attempt !== this.#attempt) return
        if (isRefusal(error)) outgoing.wasSent = wasSent
        this.#failed(error)
      },
    )
  }

  #settle({ count, records }: Outgoing): void {
    this.#attempt = undefined
    this.#outgoing = undefined
    this.#refusals = 0
    this.#buffered -= records.length
    this.late += Math.max(0, Math.min(count, this.#lateUntil - this.#confirmed))
    this.#confirmed += count
    this.#tell()
    this.#next()
  }

  #tell(): void {
    const done = this.#waiting.findIndex(({ until }) => until > this.#confirmed)
    for (const { resolve } of this.#waiting.splice(0, done === -1 ? this.#waiting.length : done)) resolve()
  }

  /** A refusal may end (Redis loads its data, has no memory, is a replica now); a lost connection is told by `down`. */
  #failed(error: Error): void {
    this.#attempt = undefined
    this.#lateUntil = this.#taken
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined
        this.#next()
      },
      delayAfter(this.#refusals++),
    ).unref()
    if (isRefusal(error)) this.#options.refused(error)
  }
}
