// What the connections of millrace/ws share. None of the core's limits is on here: what ws promises is all that holds.
import { type Codec, codecOfThread, type Heap, heapOfThread } from '../codec/codec.js'
import { type Encoder, encoderOfThread } from '../connection/sending/encoder.js'
import { type Slices, slicesOfThread } from '../connection/slices.js'
import { type Turn, turnOfThread } from '../connection/turn.js'
import { Vitals } from '../connection/vitals.js'
import { Budget } from '../memory/budget.js'
import { Counts } from '../metrics/counts.js'
import type { Role } from '../protocol/role.js'
import { Deadlines } from '../time/deadlines.js'
import type { SocketOptions } from './adoption.js'
import { maskingEncoder } from './givenMask.js'

/** What all connections share that have the same limits and the same role. */
export interface SocketContext {
  readonly codec: Codec
  readonly heap: Heap
  readonly encoder: Encoder
  readonly turn: Turn
  readonly slices: Slices
  readonly budget: Budget
  readonly counts: Counts
  readonly vitals: Vitals
  readonly limits: { readonly maxMessage: number; readonly maxFragments: number; readonly payloadTimeout: number }
  /** The longest message, as it was asked for: 0 is any length. */
  readonly maxPayload: number
  /** The most reads that a frame may come in; 0 is any number. */
  readonly mostChunks: number
  /** Whether several events may be emitted in one turn of the event loop. */
  readonly synchronous: boolean
  /** Whether text may be anything. */
  readonly anyText: boolean
  /** Longer messages are gathered in memory of their own: there they are given to their listeners anyway. */
  readonly gatherThreshold: number
  /** A length need not be in its shortest form: ws does not look. */
  readonly anyLength: true
  readonly limitsCompressed: true
}

/** No silence is too long, and none is noticed: one stopwatch for all, which nobody looks at. */
function noVitals(): Vitals {
  const times = { pingInterval: 0, idleTimeout: 0, pauseTimeout: 0, maxLifetime: 0 }
  return new Vitals({ deadlines: new Deadlines(() => false), times })
}

/** All that 32-bit addresses reach: what is longer has no place anywhere. */
const LONGEST = 0xf000_0000

/** A shorter message most often comes in one read; what is gathered is not copied to a region first. */
const GATHERED = 32 * 1024

/** More than any memory has. */
const UNLIMITED = 2 ** 50

let budget: Budget | undefined
/** Those of all connections of this thread: ws has nobody whom it would tell. */
const counts = new Counts()
let vitals: Vitals | undefined
const contexts = new Map<string, SocketContext>()

/** The context for connections with these options, made on first use. */
export function socketContext(options: SocketOptions, role: Role): SocketContext {
  // As numbers of 32 bits, and 0 for what is none.
  const maxPayload = Number(options.maxPayload) | 0
  const maxFragments = Number(options.maxFragments) | 0
  const mostChunks = Number(options.maxBufferedChunks) | 0
  const synchronous = options.allowSynchronousEvents ?? true
  const anyText = Boolean(options.skipUTF8Validation)
  const key = `${maxPayload} ${maxFragments} ${mostChunks} ${synchronous} ${anyText} ${role}`
  const context = contexts.get(key) ?? made({ maxPayload, maxFragments, mostChunks, synchronous, anyText, role })
  contexts.set(key, context)
  const { generateMask } = options
  if (typeof generateMask !== 'function' || role === 'server') return context
  return { ...context, encoder: maskingEncoder(generateMask) }
}

/** The most bytes that a message may have by the option `maxPayload`. */
export function longestMessage(maxPayload: number): number {
  return maxPayload > 0 ? Math.min(maxPayload, LONGEST) : LONGEST
}

interface ContextFacts {
  readonly maxPayload: number
  readonly maxFragments: number
  readonly mostChunks: number
  readonly synchronous: boolean
  readonly anyText: boolean
  readonly role: Role
}

function made({ maxPayload, maxFragments, mostChunks, synchronous, anyText, role }: ContextFacts): SocketContext {
  budget ??= new Budget(UNLIMITED, LONGEST)
  vitals ??= noVitals()
  const maxMessage = longestMessage(maxPayload)
  return {
    codec: codecOfThread(),
    heap: heapOfThread(),
    encoder: encoderOfThread(role),
    turn: turnOfThread(),
    slices: slicesOfThread(),
    budget,
    counts,
    vitals,
    limits: { maxMessage, maxFragments: Math.max(maxFragments, 0), payloadTimeout: 0 },
    maxPayload,
    mostChunks,
    synchronous,
    anyText,
    gatherThreshold: GATHERED,
    anyLength: true,
    limitsCompressed: true,
  }
}
