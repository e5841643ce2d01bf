// What processes tell each other of who is in their topics, in JSON. Each process numbers what it says, so that a hole is seen;
// whoever sees one asks for everything.
import { callerError } from '../checks/errors.js'

/** Somebody in a topic. */
export interface Member {
  /** The name of the connection, `connection.id`: unique over all processes and machines. */
  readonly id: string
  /** What `join` was given. */
  readonly info: unknown
}

/** `begin` and `end` stand around everything that a process knows; `ask` wants that of all, or of one. */
export type PresenceKind = 'begin' | 'end' | 'change' | 'alive' | 'ask' | 'bye'

/** What has changed in one topic. */
export interface TopicChange {
  readonly topic: string
  readonly joined?: readonly Member[]
  readonly left?: readonly string[]
  /** There are so many, and they are not named any more; -1: they are named again from here on, and there is nobody yet. */
  readonly count?: number
}

export interface PresenceRecord {
  /** Who says it: a random name of a process. */
  readonly from: string
  readonly number: number
  readonly kind: PresenceKind
  /** Milliseconds for which it counts without another word. */
  readonly lease: number
  /** Who is asked; all, where it is absent. */
  readonly of?: string
  readonly changes?: readonly TopicChange[]
}

const KINDS: readonly string[] = ['begin', 'end', 'change', 'alive', 'ask', 'bye'] satisfies PresenceKind[]

/** Reads a record; undefined for what is none: whoever may publish on the topic may publish anything. */
export function readPresence(data: string | Uint8Array): PresenceRecord | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const record: unknown = JSON.parse(data)
    return isRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is PresenceRecord {
  const { from, number, kind, lease, of, changes } = Object(value)
  const isWhole = typeof from === 'string' && Number.isSafeInteger(number) && KINDS.includes(kind) && lease > 0
  const isFor = of === undefined || typeof of === 'string'
  return isWhole && isFor && (changes === undefined || (Array.isArray(changes) && changes.every(isChange)))
}

function isChange(value: unknown): boolean {
  const { topic, joined = [], left = [], count } = Object(value)
  const isNamed = Array.isArray(joined) && joined.every((member) => typeof Object(member).id === 'string')
  const isLeft = Array.isArray(left) && left.every((id) => typeof id === 'string')
  return typeof topic === 'string' && isNamed && isLeft && (count === undefined || Number.isSafeInteger(count))
}

/** What JSON makes of an info: the same in all processes, whatever becomes of the object. Throws a TypeError where it can't. */
export function snapshotOf(info: unknown): unknown {
  try {
    const text: string | undefined = JSON.stringify(info)
    return text === undefined ? undefined : JSON.parse(text)
  } catch (error) {
    throw callerError('ERR_ARGUMENT_KIND', `the info of join must be something that JSON can hold: ${error}`)
  }
}
