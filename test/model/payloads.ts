// Payloads that say whose they are. Every byte follows from the stream that a message belongs to, its number and its
// length, so a byte of another message is found wherever it is.
import { Buffer } from 'node:buffer'
import { Random } from '../support/random.js'

/** What a payload consists of. */
export type Form = 'binary' | 'ascii' | 'text'

/** A message: its `number` in its `stream`, such as `a7>` for what the connection a7 sends to the server. */
export interface Spec {
  readonly stream: string
  readonly number: number
  readonly length: number
  readonly form: Form
}

export const LONGEST = 1 << 20
/** Where payloads begin in a table; a cell of text is 16 bytes, and characters do not cross cells. */
const OFFSETS = 65_536
const CELL = Buffer.from('aé漢😀xyzuvw')
const TABLE_LENGTH = LONGEST + OFFSETS + CELL.length

const tables: Readonly<Record<Form, Buffer>> = { binary: binaryTable(), ascii: asciiTable(), text: textTable() }

/** Whether it travels as text. */
export function isText({ form }: Spec): boolean {
  return form !== 'binary'
}

/** The payload of a message, in memory of its own. */
export function payloadOf(spec: Spec): Buffer {
  const { length, form } = spec
  const offset = offsetOf(spec)
  const payload = Buffer.from(tables[form].subarray(offset, offset + length))
  const name = Buffer.from(nameOf(spec), 'latin1')
  const cell = Math.ceil(name.length / CELL.length) * CELL.length
  if (length < cell) {
    if (form === 'text') tables.ascii.copy(payload, 0, offset, offset + length)
    return payload
  }
  payload.fill(0x2e, 0, cell)
  name.copy(payload)
  // The last cell may be cut: ASCII in its place.
  if (form === 'text') payload.fill(0x2d, length - (length % CELL.length))
  return payload
}

/** What a payload says of itself, for messages of tests. */
export function describe(payload: Uint8Array): string {
  const start = Buffer.from(payload.subarray(0, 48)).toString('latin1')
  const name = /^\|([^|]+)\|/.exec(start)?.[1]
  return name === undefined ? `${payload.length} bytes, ${JSON.stringify(start)}` : `${name} (${payload.length} bytes)`
}

export function nameOf({ stream, number, length }: Spec): string {
  return `|${stream}${number} of ${length}|`
}

/** A length from any tier, and often one at its border; seldom a long one. */
export function lengthFrom(random: Random): number {
  const kind = random.below(1000)
  if (kind < 300) return random.below(40)
  if (kind < 450) return random.pick([0, 1, 2, 124, 125, 126, 127, 128])
  if (kind < 940) return random.between(40, 2500)
  if (kind < 990) return random.between(2500, 20_000)
  if (kind < 994) return random.pick([65_534, 65_535, 65_536, 65_537])
  return kind < 999 || random.chance(0.9) ? random.between(20_000, 200_000) : LONGEST
}

export function formFrom(random: Random): Form {
  return random.pick(['binary', 'binary', 'ascii', 'text'])
}

function offsetOf({ stream, number, length }: Spec): number {
  let hash = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(length, 0x85ebca6b)
  for (let at = 0; at < stream.length; at++) hash = Math.imul(hash ^ stream.charCodeAt(at), 0x01000193)
  return (hash >>> 8) & (OFFSETS - CELL.length)
}

function binaryTable(): Buffer {
  return new Random(1).bytes(TABLE_LENGTH)
}

function asciiTable(): Buffer {
  const table = new Random(2).bytes(TABLE_LENGTH)
  for (let at = 0; at < table.length; at++) table[at] = 33 + ((table[at] ?? 0) % 94)
  return table
}

/** Cells of characters of one to four bytes, and four bytes of ASCII that differ from cell to cell. */
function textTable(): Buffer {
  const table = asciiTable()
  for (let at = 0; at + CELL.length <= TABLE_LENGTH; at += CELL.length) CELL.copy(table, at, 0, CELL.length - 4)
  return table
}
