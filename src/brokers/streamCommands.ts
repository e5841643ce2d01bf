// What is said to Redis about a stream. An entry has two fields: `from` says who wrote it (publisher and number, so that
// an entry that was written twice is known by it), and `records` holds the publications of publication.ts.
import { type RedisClient, withBytes } from './redisConnection.js'

/** An entry, as it is written. */
export interface StreamEntry {
  /** Who writes it: a random number. */
  readonly publisher: number
  /** The publisher numbers its entries from 1, without a gap. */
  readonly number: number
  readonly records: Buffer
}

/** An entry, as it is read. */
export interface ReadEntry {
  /** Its place in the stream. */
  readonly id: string
  /** Undefined for an entry that is not of this form. */
  readonly entry: StreamEntry | undefined
}

/** The place before all entries. */
export const BEGINNING = '0-0'

/** Appends an entry, after which the stream keeps about `most`. Resolves when Redis has confirmed it. */
export async function append(client: RedisClient, key: string, entry: StreamEntry, most: number): Promise<void> {
  const fields = { from: `${entry.publisher}-${entry.number}`, records: entry.records }
  const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: most } as const
  await client.xAdd(key, '*', fields, { TRIM })
}

/** At most `count` entries after `id`; waits up to `block` ms for the first one, or not at all if that is undefined. */
export async function readAfter(
  client: RedisClient,
  key: string,
  id: string,
  count: number,
  block?: number,
): Promise<ReadEntry[]> {
  const options = block === undefined ? { COUNT: count } : { COUNT: count, BLOCK: block }
  const reply: unknown = await withBytes(client).xRead({ key, id }, options)
  return Array.isArray(reply) ? entriesIn(Object(reply[0]).messages) : []
}

/** The place of the newest entry. */
export async function newestId(client: RedisClient, key: string): Promise<string> {
  const [entry] = entriesIn(await withBytes(client).xRevRange(key, '+', '-', { COUNT: 1 }))
  return entry?.id ?? BEGINNING
}

/** Whether the stream still holds the entry at this place. */
export async function holds(client: RedisClient, key: string, id: string): Promise<boolean> {
  return id === BEGINNING || entriesIn(await client.xRange(key, id, id, { COUNT: 1 })).length > 0
}

/** Whether one place is before another. */
export function isBefore(one: string, other: string): boolean {
  const [ms = 0, at = 0] = one.split('-').map(Number)
  const [otherMs = 0, otherAt = 0] = other.split('-').map(Number)
  return ms < otherMs || (ms === otherMs && at < otherAt)
}

function entriesIn(messages: unknown): ReadEntry[] {
  return Array.isArray(messages) ? messages.map(({ id, message }) => ({ id: `${id}`, entry: entryIn(message) })) : []
}

function entryIn(message: unknown): StreamEntry | undefined {
  const { from, records } = Object(message)
  const numbers = /^(\d{1,15})-(\d{1,15})$/.exec(`${from}`)
  if (numbers === null || !Buffer.isBuffer(records)) return undefined
  return { publisher: Number(numbers[1]), number: Number(numbers[2]), records }
}
