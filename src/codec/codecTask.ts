// Work of the second module that another thread does in the same memory: numbers in, numbers out. What they point to is
// the caller's, who must leave it alone until the work is done.
import type { CompressionExports } from './compression.js'
import { WORKSPACE_CONSUMED, WORKSPACE_WRITTEN } from './deflate.generated.js'
import type { CodecExports } from './instance.js'
import { TextCheck, type TextProgress } from './textCheck.js'
import { type BestPiece, zlibDeflate } from './zlibDeflate.js'

/** A piece for the codec's deflater; see `Deflater.deflate`. */
export interface FastTask {
  readonly kind: 'fast'
  readonly state: number
  readonly from: number
  readonly length: number
  readonly to: number
  readonly room: number
  readonly last: boolean
}

/** A piece for zlib. */
export interface BestTask extends BestPiece {
  readonly kind: 'best'
}

/** A piece for the codec's inflater; see `Inflater.inflate`. */
export interface InflateTask {
  readonly kind: 'inflate'
  readonly state: number
  readonly from: number
  readonly length: number
  readonly base: number
  readonly to: number
  readonly room: number
  readonly limit: number
  /** How far the look at the text has come, if the message is text. */
  readonly text: TextProgress | undefined
}

export type DeflateTask = FastTask | BestTask
export type CodecTask = DeflateTask | InflateTask

/** What a task has come to. */
export interface TaskResult {
  /** What the function of the module returned. */
  readonly status: number
  readonly consumed: number
  readonly written: number
  readonly text?: TextProgress | undefined
}

/** The modules, as a thread has them that does such work. */
export interface TaskCodec {
  readonly call: CodecExports
  readonly compression: CompressionExports
  /** All of the memory, as it is now. */
  readonly bytes: Uint8Array
}

/** Does a task, in a workspace that nobody else uses meanwhile. */
export function runTask(codec: TaskCodec, workspace: number, task: CodecTask): TaskResult {
  if (task.kind === 'best') return { status: 0, consumed: task.length, written: zlibDeflate(codec.bytes, task) }
  const { compression } = codec
  // The thread that had this workspace before may have been another one, and may have died amid its work.
  compression.openWorkspace(workspace, 1)
  const { state, from, length, to, room } = task
  const status =
    task.kind === 'fast'
      ? compression.deflate(state, from, length, to, room, task.last ? 1 : 0)
      : compression.inflate(state, from, length, task.base, to, room, task.limit)
  const results = new DataView(codec.bytes.buffer, workspace)
  const written = results.getUint32(WORKSPACE_WRITTEN, true)
  const text = task.kind === 'inflate' ? checked(codec, task, written) : undefined
  return { status, consumed: results.getUint32(WORKSPACE_CONSUMED, true), written, text }
}

function checked(codec: TaskCodec, { text, to }: InflateTask, written: number): TextProgress | undefined {
  if (text === undefined) return undefined
  const check = new TextCheck(codec)
  check.goesOn(text)
  check.takes(to, written)
  return check.progress
}
