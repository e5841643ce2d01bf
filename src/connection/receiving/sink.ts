// Where what a connection receives goes, and what receiving needs of its server.
import { type Heap, OutOfMemory, type Region, violationName } from '../../codec/codec.js'
import { isViolation } from '../../codec/parser.js'
import type { Budget, Claimant } from '../../memory/budget.js'
import type { Counts } from '../../metrics/counts.js'
import { ProtocolViolation, type ViolationName } from '../../protocol/violation.js'
import type { Slices } from '../slices.js'
import type { Turn } from '../turn.js'

/** What all connections of a server share, as far as receiving needs it. */
export interface IncomingContext {
  readonly heap: Heap
  readonly budget: Budget
  readonly counts: Counts
  readonly slices: Slices
  readonly turn: Pick<Turn, 'begin' | 'end'>
  /** `maxFragments` 0 is any number. */
  readonly limits: { readonly maxMessage: number; readonly maxFragments: number; readonly payloadTimeout: number }
  /** Longer messages are handed out while they arrive, whatever their length. Undefined: no message is. */
  readonly streamThreshold?: number | undefined
  /**
   * Longer messages that come in one frame are handed out while they arrive, too, to whoever gathers them. All limits hold as they do
   * for others. Undefined: none is.
   */
  readonly gatherThreshold?: number | undefined
  /** Whether text may be any bytes, instead of UTF-8 (RFC 6455, section 8.1). */
  readonly anyText?: boolean | undefined
  /** Whether a compressed message may not be longer than others before it is inflated, either. */
  readonly limitsCompressed?: boolean | undefined
  /** Whether a payload length may be longer than its shortest form (RFC 6455, section 5.2). */
  readonly anyLength?: boolean | undefined
}

/** The limit that a violation speaks of, in words. */
export function limitOf(name: ViolationName, { maxMessage, maxFragments }: IncomingContext['limits']): string {
  if (name === 'MESSAGE_TOO_LONG') return `maxMessage is ${maxMessage} bytes`
  return name === 'TOO_MANY_FRAGMENTS' ? `maxFragments is ${maxFragments}` : ''
}

/** The most bytes that a message may have. What may be handed out in parts has no limit. */
export function longestOf({ streamThreshold, limits }: IncomingContext): number {
  return streamThreshold === undefined ? limits.maxMessage : Number.MAX_SAFE_INTEGER
}

/** Whoever takes what comes in. */
export interface Sink extends Claimant {
  /** A control frame, unmasked; its payload is valid until this returns. */
  control(opcode: number, pointer: number, length: number): void
  /** `inflating`: it was found while a message was inflated. */
  violated(violation: ProtocolViolation, inflating?: boolean): void
  /** Something else was thrown while a message or frame was handed out. */
  handlerFailed(error: unknown): void
}

/** Ends the connection, and not the process, if no memory is left for what came, or for the answer. */
export function tellFailure(sink: Sink, error: unknown): void {
  if (error instanceof OutOfMemory) sink.violated(new ProtocolViolation('MEMORY_SPENT', error.message))
  else sink.handlerFailed(error)
}

/** Tells the sink of a violation; false for a status that is none. */
export function concludes(sink: Sink, status: number, limits: IncomingContext['limits']): boolean {
  if (!isViolation(status)) return false
  const name = violationName(status)
  sink.violated(new ProtocolViolation(name, limitOf(name, limits)))
  return true
}

/** Where messages go. */
export interface Deliverer {
  /** A whole message. A `region` belongs to the receiver. */
  take(info: number, pointer: number, length: number, region: Region | undefined): void
  /** A message begins that is handed out in parts; `byteLength` is known if it comes in one frame. */
  streamBegins(isText: boolean, byteLength: number | undefined): void
  /** A part of it; valid until this returns. */
  streamPart(pointer: number, length: number, last: boolean): void
  /** So many bytes of the message under way are those of frames that have ended. Told to whoever asks for it (`markFrames`). */
  frameEnds?(length: number): void
}
