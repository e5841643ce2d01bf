// What a case may cost: time, and what a peer may send in it.
import type { Case, Frame, Step } from './case.js'
import type { Patience } from './conduct.js'
import type { Bounds } from './frameReader.js'
import { bytesIn } from './wire.js'

export interface AnswerOptions {
  /** How long a case may take, in milliseconds. */
  readonly timeout: number
}

const MEBIBYTE = 1 << 20

/** A peer gets a quarter of the time for an answer, and is watched for half as long where it may do nothing. */
export function boundsOf(one: Case, { timeout }: AnswerOptions): { patience: Patience; bounds: Bounds } {
  const longest = Math.max(0, ...one.steps.map(longestIn))
  const sent = one.steps.reduce((sum, step) => sum + longestIn(step), 0)
  const patience = { answer: timeout / 4, watch: Math.min(timeout / 8, 2000) }
  return { patience, bounds: { message: longest + MEBIBYTE, total: 2 * sent + 4 * MEBIBYTE, frames: 100_000 } }
}

/** How long an answer to this step may have to be. */
function longestIn(step: Step): number {
  if (step.step === 'message') return bytesIn(step.payload).length
  if (step.step === 'send') return step.frames.reduce((sum, frame) => sum + lengthOf(frame), 0)
  return 0
}

function lengthOf({ payload }: Frame): number {
  return bytesIn(payload).length
}
