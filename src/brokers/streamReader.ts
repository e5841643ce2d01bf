// What comes from a stream: everything after the last entry that was read, also after an outage. An entry that was written
// twice is read once, and where the stream has been trimmed before it was read, that is told.
import { callerError } from '../checks/errors.js'
import { isRefusal, type RedisClient } from './redisConnection.js'
import { BEGINNING, holds, isBefore, newestId, type ReadEntry, readAfter, type StreamEntry } from './streamCommands.js'

export interface StreamReaderOptions {
  readonly key: string
  /** Milliseconds that a command may wait for an entry. */
  readonly block: number
  /** Whose entries are skipped. */
  readonly publisher: number
  /** Takes an entry; false if it is not what it should be. */
  readonly take: (records: Buffer) => boolean
  /** The stream may have lost what was not read. */
  readonly lost: () => void
  /** The stream has lost what was not read, or Redis has refused a command. */
  readonly failed: (error: Error) => void
}

/** Entries in one reply. */
const COUNT = 64
/** Publishers whose latest entry is remembered; the one that was heard of first is forgotten first. */
const MAX_PUBLISHERS = 16_384
/** Milliseconds before reading is tried again that Redis has refused. */
const PAUSE = 500

export class StreamReader {
  readonly #options: StreamReaderOptions
  /** The last entry that was read; undefined before the first connection. */
  #position: string | undefined
  readonly #latest = new Map<number, number>()
  #client: RedisClient | undefined
  /** Reading has begun on this connection. */
  #reads = false
  #retry: NodeJS.Timeout | undefined
  /** More may be there, and the stream may be trimmed before it is read. */
  #isBehind = false
  /** The loss has been told, and nothing was read in time since. */
  #told = false
  /** Entries that came twice, that were no entries, and times that the stream had lost what was not read. */
  doubles = 0
  invalid = 0
  trimmed = 0

  constructor(options: StreamReaderOptions) {
    this.#options = options
  }

  /** Whether it hears what is written now. */
  get isReading(): boolean {
    return this.#reads
  }

  up(client: RedisClient): void {
    this.#client = client
    void this.#follow(client)
  }

  down(): void {
    this.#client = undefined
    this.#reads = false
    clearTimeout(this.#retry)
  }

  async #follow(client: RedisClient): Promise<void> {
    try {
      await this.#find(client)
      this.#isBehind = true
      while (client === this.#client) {
        this.#reads = true
        await (this.#isBehind ? this.#catchUp(client) : this.#wait(client))
      }
    } catch (error) {
      if (client === this.#client && error instanceof Error) this.#stopped(client, error)
    }
  }

  /** Where to begin: behind what was read, unless this is another stream, whose newest entry is older than that. */
  async #find(client: RedisClient): Promise<void> {
    const newest = await newestId(client, this.#options.key)
    this.#position ??= newest
    if (!isBefore(newest, this.#position)) return
    this.#position = BEGINNING
    this.#lost()
  }

  /** Reads what is there. If the last entry that was read is gone afterwards, others may have gone with it. */
  async #catchUp(client: RedisClient): Promise<void> {
    const { key } = this.#options
    const position = this.#position ?? BEGINNING
    const [entries, isThere] = await Promise.all([
      readAfter(client, key, position, COUNT),
      holds(client, key, position),
    ])
    if (client !== this.#client) return
    if (isThere) this.#told = false
    else if (entries.length > 0) this.#lost()
    this.#deliver(entries)
  }

  /** Waits for what comes. When nothing has come, it is looked whether the stream is still the same. */
  async #wait(client: RedisClient): Promise<void> {
    const { key, block } = this.#options
    const entries = await readAfter(client, key, this.#position ?? BEGINNING, COUNT, block)
    if (client !== this.#client) return
    if (entries.length === 0) await this.#find(client)
    else this.#deliver(entries)
  }

  #deliver(entries: readonly ReadEntry[]): void {
    this.#isBehind = entries.length === COUNT
    for (const { id, entry } of entries) {
      this.#position = id
      if (entry === undefined) this.invalid++
      else if (entry.publisher !== this.#options.publisher) this.#take(entry)
    }
  }

  #take({ publisher, number, records }: StreamEntry): void {
    if (number <= (this.#latest.get(publisher) ?? 0)) this.doubles++
    else if (this.#options.take(records)) this.#remember(publisher, number)
    else this.invalid++
  }

  #remember(publisher: number, number: number): void {
    if (!this.#latest.has(publisher) && this.#latest.size >= MAX_PUBLISHERS) {
      for (const first of this.#latest.keys()) {
        this.#latest.delete(first)
        break
      }
    }
    this.#latest.set(publisher, number)
  }

  #lost(): void {
    this.trimmed++
    this.#options.lost()
    if (this.#told) return
    this.#told = true
    const words = `the stream ${this.#options.key} was trimmed or replaced before this process had read it: publications may be missing`
    this.#options.failed(callerError('ERR_STREAM_TRIMMED', words))
  }

  /** A refusal may end; a lost connection is told by `down`. */
  #stopped(client: RedisClient, error: Error): void {
    this.#reads = false
    this.#retry = setTimeout(() => void this.#follow(client), PAUSE).unref()
    if (isRefusal(error)) this.#options.failed(error)
  }
}
