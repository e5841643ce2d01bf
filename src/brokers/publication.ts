// The binary form of what brokers carry: records, each with its length in front, so that they can follow each other in
// a stream or in one message. All numbers are big-endian:
//
//    0 u32 bytes that follow   4 u8 kind   5 u8 flags   6 u16 bytes of the topic
//    8 u48 publisher          14 u48 number             20 topic, payload

/** What a record is. Only publications leave the machine; those after them are told in orderedRecords.ts. */
export const RecordKind = {
  subscribe: 1,
  unsubscribe: 2,
  publication: 3,
  keep: 4,
  ordered: 5,
  recall: 6,
  recalled: 7,
  recallEnd: 8,
} as const

/** Bytes in front of the topic. */
const HEADER = 20
/** Bytes of the length itself. */
const PREFIX = 4
const IS_TEXT = 1
const BEGINS = 2

/** Longest record; Redis takes 512 MiB. */
export const MAX_RECORD_BYTES = 256 * 1024 * 1024
/** In a message of several records, each record begins before this many bytes: a publisher gathers no more. */
export const BATCH_BYTES = 256 * 1024
/** What is reserved for a record that has only been announced. */
const FIRST_ROOM = 64 * 1024

/** A record, read from its bytes. */
export interface Publication {
  readonly kind: number
  readonly topic: string
  readonly isText: boolean
  /** Who published it: a random number. */
  readonly publisher: number
  /** The publisher numbers what it publishes on a topic. */
  readonly number: number
  /** The publisher has begun to number this topic: nothing is missing before it. */
  readonly begins: boolean
  /** Points into the record. */
  readonly payload: Uint8Array
}

/** What is written in front of the payload, except for the topic. */
export interface Heading {
  readonly kind: number
  readonly isText?: boolean
  readonly begins?: boolean
  readonly publisher?: number
  readonly number?: number
}

/** Bytes of a record. */
export function recordLength(topicBytes: number, payloadBytes: number): number {
  return HEADER + topicBytes + payloadBytes
}

/** Writes a record into `target`, which is as long as the record. */
export function writeRecord(target: Buffer, heading: Heading, topic: Uint8Array, payload?: Uint8Array): void {
  const { kind, isText = false, begins = false, publisher = 0, number = 0 } = heading
  target.writeUInt32BE(target.length - PREFIX, 0)
  target[4] = kind
  target[5] = (isText ? IS_TEXT : 0) | (begins ? BEGINS : 0)
  target.writeUInt16BE(topic.length, 6)
  target.writeUIntBE(publisher, 8, 6)
  target.writeUIntBE(number, 14, 6)
  target.set(topic, HEADER)
  if (payload !== undefined) target.set(payload, HEADER + topic.length)
}

/** What kind of record it is; undefined if it is none. */
export function kindOf(record: Buffer): number | undefined {
  const kind = record[4] ?? 0
  const isKnown = kind >= RecordKind.subscribe && kind <= RecordKind.recallEnd
  return isKnown && record.length >= HEADER && HEADER + record.readUInt16BE(6) <= record.length ? kind : undefined
}

/** The topic of a record that has a kind. */
export function topicOf(record: Buffer): string {
  return record.toString('utf8', HEADER, HEADER + record.readUInt16BE(6))
}

/** Reads a record; undefined if it is none. */
export function readRecord(record: Buffer): Publication | undefined {
  const kind = kindOf(record)
  if (kind === undefined) return undefined
  const flags = record[5] ?? 0
  return {
    kind,
    topic: topicOf(record),
    isText: (flags & IS_TEXT) !== 0,
    begins: (flags & BEGINS) !== 0,
    publisher: record.readUIntBE(8, 6),
    number: record.readUIntBE(14, 6),
    payload: record.subarray(HEADER + record.readUInt16BE(6)),
  }
}

/** Takes a record, and tells whether it is one; if not, the stream is broken. */
export type Take = (record: Buffer) => boolean

/** Cuts a stream of records, however it is split. What is reserved for a record is at most twice what has come of it. */
export class RecordDecoder {
  readonly #maxBytes: number
  /** The first bytes of a record whose length is not complete. */
  readonly #prefix = Buffer.alloc(PREFIX)
  /** A record that is not complete, and how long it will be. */
  #partial: Buffer | undefined
  #length = 0
  #have = 0
  #broken = false

  /** `maxBytes`: the longest record; a longer one breaks the stream. */
  constructor(maxBytes = MAX_RECORD_BYTES) {
    this.#maxBytes = maxBytes
  }

  /**
   * Calls `take` for each record that `chunk` completes. Records lie in the chunk, or in memory of their own; they stay
   * valid as long as the chunk does. Returns false when the stream is broken: nothing can be read from it any more.
   */
  push(chunk: Buffer, take: Take): boolean {
    let at = 0
    while (at < chunk.length && !this.#broken) {
      at = this.#have > 0 || chunk.length - at < PREFIX ? this.#resume(chunk, at, take) : this.#whole(chunk, at, take)
    }
    return !this.#broken
  }

  /** A record begins here, and its length is known. */
  #whole(chunk: Buffer, at: number, take: Take): number {
    const length = this.#lengthOf(chunk, at)
    if (length === undefined) return chunk.length
    const end = at + length
    if (end > chunk.length) return this.#begin(chunk, at, length)
    if (!take(chunk.subarray(at, end))) this.#break()
    return end
  }

  #begin(chunk: Buffer, at: number, length: number): number {
    this.#length = length
    this.#partial = Buffer.allocUnsafeSlow(Math.min(length, Math.max(FIRST_ROOM, chunk.length - at)))
    this.#have = chunk.copy(this.#partial, 0, at)
    return chunk.length
  }

  #resume(chunk: Buffer, at: number, take: Take): number {
    if (this.#partial === undefined) return this.#resumePrefix(chunk, at)
    const partial = this.#roomIn(this.#partial, chunk.length - at)
    const copied = chunk.copy(partial, this.#have, at, at + this.#length - this.#have)
    this.#partial = partial
    this.#have += copied
    if (this.#have === this.#length) {
      this.#partial = undefined
      this.#have = 0
      if (!take(partial)) this.#break()
    }
    return at + copied
  }

  /** Room for `bytes` more, or for what the record still needs. */
  #roomIn(partial: Buffer, bytes: number): Buffer {
    const needed = Math.min(this.#length, this.#have + bytes)
    if (needed <= partial.length) return partial
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#length, Math.max(needed, 2 * partial.length)))
    partial.copy(larger, 0, 0, this.#have)
    return larger
  }

  #resumePrefix(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#prefix, this.#have, at)
    this.#have += copied
    const length = this.#have === PREFIX ? this.#lengthOf(this.#prefix, 0) : undefined
    if (length !== undefined) this.#begin(this.#prefix, 0, length)
    return at + copied
  }

  /** Length of the record whose prefix stands at `at`, if it can be one. */
  #lengthOf(bytes: Buffer, at: number): number | undefined {
    const length = recordBytes(bytes, at)
    if (length !== undefined && length <= this.#maxBytes) return length
    this.#break()
    return undefined
  }

  #break(): void {
    this.#broken = true
    this.#partial = undefined
    this.#have = 0
  }
}

/** The length of a record by its prefix, which stands at `at`; undefined where no record is so short. */
function recordBytes(bytes: Buffer, at: number): number | undefined {
  const length = PREFIX + bytes.readUInt32BE(at)
  return length >= HEADER ? length : undefined
}

/**
 * Cuts a message that consists of whole publications on one topic, the one whose name is the rest of `channel` after `prefix`
 * bytes. Returns false, and has called nothing, if it is anything else.
 */
export function eachPublication(
  message: Buffer,
  channel: Buffer,
  prefix: number,
  take: (record: Buffer) => void,
): boolean {
  const records = publicationsIn(message)
  if (records === undefined || !records.every((record) => isOn(record, channel, prefix))) return false
  for (const record of records) take(record)
  return true
}

/** The records of a message that consists of whole publications, on any topics; undefined if it is anything else. */
export function publicationsIn(message: Buffer): Buffer[] | undefined {
  const ends = endsOf(message)
  const records = ends?.map((end, at) => message.subarray(ends[at - 1] ?? 0, end))
  return records?.every((record) => kindOf(record) === RecordKind.publication) ? records : undefined
}

/** Where the records of a message end; undefined if the last one does not end with it, or there are too many. */
function endsOf(message: Buffer): number[] | undefined {
  const ends: number[] = []
  let at = 0
  do {
    const length = at < BATCH_BYTES && message.length - at >= PREFIX ? recordBytes(message, at) : undefined
    if (length === undefined || length > message.length - at) return undefined
    at += length
    ends.push(at)
  } while (at < message.length)
  return ends
}

/** Whether the topic of a record is what follows the prefix in a channel's name. */
function isOn(record: Buffer, channel: Buffer, prefix: number): boolean {
  const bytes = record.readUInt16BE(6)
  return channel.length - prefix === bytes && channel.compare(record, HEADER, HEADER + bytes, prefix) === 0
}
