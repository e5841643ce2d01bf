// The records of topics with a history, between the hub and the acceptors. The hub numbers what is published on such a topic,
// keeps it, and tells it to all acceptors, its publisher included, in one order:
//
//    keep       an acceptor asks for that order; payload: u48 publications, u48 bytes, u48 ms that are to be kept
//    ordered    a publication as its publisher has numbered it; payload: u48 the hub's number, then its own
//    recall     an acceptor asks for what is older; publisher: only what is after this number; number: only what is before
//    recalled   the same as ordered, with u48 its age in ms behind the hub's number
//    recallEnd  the answer to keep and to recall is complete; publisher: the epoch; number: that of the latest publication;
//               payload: u48 the number of the oldest that the hub has kept
import type { HistoryLimits } from '../topics/options.js'
import type { Recalled, Standing } from '../topics/ordering.js'
import { RecordKind, readRecord, recordLength, writeRecord } from './publication.js'

const U48 = 6
/** The largest number of a record. */
const MOST = 2 ** 48 - 1
/** Where a record says what it is, who has published it, and which number that has. */
const [KIND, PUBLISHER, NUMBER] = [4, 8, 14]

/** A record that asks the hub to keep what is published on a topic. */
export function writeKeep(target: Buffer, topic: Uint8Array, { messages, bytes, maxAge }: HistoryLimits): void {
  const payload = Buffer.alloc(3 * U48)
  for (const [at, limit] of [messages, bytes, maxAge].entries())
    payload.writeUIntBE(Math.min(limit, MOST), at * U48, U48)
  writeRecord(target, { kind: RecordKind.keep }, topic, payload)
}

/** Bytes of such a record. */
export function keepLength(topicBytes: number): number {
  return recordLength(topicBytes, 3 * U48)
}

/** What a `keep` asks for; undefined if that can't be. */
export function readKeep(record: Buffer): HistoryLimits | undefined {
  const payload = readRecord(record)?.payload
  if (payload?.length !== 3 * U48) return undefined
  const [messages, bytes, maxAge] = [0, 1, 2].map((at) => asBuffer(payload).readUIntBE(at * U48, U48))
  if (!messages || !bytes || !maxAge) return undefined
  return { messages, bytes, maxAge }
}

/** Bytes of the ordered record for a publication's record. */
export function orderedLength(record: Buffer): number {
  return record.length + U48
}

/** Writes the ordered record for a publication's record, which is `orderedLength` long. */
export function writeOrdered(target: Buffer, record: Buffer, number: number): void {
  const publication = readRecord(record)
  if (publication === undefined) return
  const { payload } = publication
  record.copy(target, 0, 0, record.length - payload.length)
  const at = record.length - payload.length
  target.writeUInt32BE(target.length - 4, 0)
  target[KIND] = RecordKind.ordered
  target.writeUIntBE(number, at, U48)
  target.set(payload, at + U48)
}

/** Bytes that an ordered or a recalled record has at most beyond the publication's own. */
export const MOST_ADDED = 2 * U48

/** The recalled record for an ordered one. */
export function recalledOf(ordered: Uint8Array, age: number): Buffer {
  const source = asBuffer(ordered)
  const at = (readRecord(source)?.payload.byteOffset ?? 0) - source.byteOffset + U48
  const target = Buffer.allocUnsafe(source.length + U48)
  source.copy(target, 0, 0, at)
  target.writeUInt32BE(target.length - 4, 0)
  target[KIND] = RecordKind.recalled
  target.writeUIntBE(Math.max(0, Math.min(Math.round(age), MOST)), at, U48)
  source.copy(target, at + U48, at)
  return target
}

/** A record that asks for the publications between two numbers. */
export function writeRecall(target: Buffer, topic: Uint8Array, after: number, before: number): void {
  writeRecord(target, { kind: RecordKind.recall, publisher: after, number: before }, topic)
}

/** Between which numbers a `recall` asks. */
export function readRecall(record: Buffer): { readonly after: number; readonly before: number } {
  return { after: record.readUIntBE(PUBLISHER, U48), before: record.readUIntBE(NUMBER, U48) }
}

/** The record that says where a topic stands. */
export function recallEnd(topic: string, { epoch, first, last }: Standing): Buffer {
  const [name, payload] = [Buffer.from(topic), Buffer.alloc(U48)]
  payload.writeUIntBE(first, 0, U48)
  const record = Buffer.allocUnsafe(recordLength(name.length, U48))
  writeRecord(record, { kind: RecordKind.recallEnd, publisher: epoch, number: last }, name, payload)
  return record
}

/** Where a topic stands; undefined if the record does not say it. */
export function readStanding(record: Buffer): Standing | undefined {
  const read = readRecord(record)
  if (read?.payload.length !== U48) return undefined
  return { epoch: read.publisher, last: read.number, first: asBuffer(read.payload).readUIntBE(0, U48) }
}

/** A publication that was ordered or recalled. */
export interface OrderedPublication extends Recalled {
  readonly topic: string
  /** Who has published it. */
  readonly publisher: number
  /** Its number among those of its publisher. */
  readonly own: number
}

/** Reads an `ordered` or a `recalled`; undefined if it is none. */
export function readOrdered(record: Buffer): OrderedPublication | undefined {
  const read = readRecord(record)
  const isRecalled = read?.kind === RecordKind.recalled
  const added = isRecalled ? MOST_ADDED : U48
  if (read === undefined || read.payload.length < added) return undefined
  const { topic, isText, publisher, number: own, payload } = read
  const numbers = asBuffer(payload)
  const age = isRecalled ? numbers.readUIntBE(U48, U48) : 0
  return { topic, isText, publisher, own, number: numbers.readUIntBE(0, U48), age, payload: payload.subarray(added) }
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}
