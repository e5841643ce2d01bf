// Who does long work of compression in a test: threads; this thread, in slices, as where no thread can be had; or threads
// that die amid it.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { CodecTask, TaskResult } from '../../src/codec/codecTask.js'
import { codecThreads } from '../../src/pool/codecThreads.js'
import type { Ending } from './serving.js'

export const workers = ['threads', 'slices'] as const
export type Who = (typeof workers)[number]

/** Has `who` do the work until the test has ended. Returns the kinds of the tasks that threads have done. */
export function working(t: Ending, who: Who, wrap = (task: () => Promise<TaskResult>) => task()): CodecTask['kind'][] {
  const threads = codecThreads()
  assert.ok(threads !== undefined, 'these tests need a thread')
  const done: CodecTask['kind'][] = []
  const { run } = Object.getPrototypeOf(threads)
  Object.defineProperty(threads, 'usable', { get: () => who === 'threads', configurable: true })
  threads.run = async (task) => {
    const result = await wrap(() => Reflect.apply(run, threads, [task]))
    done.push(task.kind)
    return result
  }
  t.after(async () => {
    Reflect.deleteProperty(threads, 'usable')
    Reflect.deleteProperty(threads, 'run')
    await threads.close()
  })
  return done
}

/** A task that a thread does, and dies with: what it has written is there, and nobody hears of it. */
export async function dying(task: () => Promise<TaskResult>): Promise<TaskResult> {
  await task()
  throw new Error('the thread has died')
}

/** A task that takes its time. */
export async function slowly(task: () => Promise<TaskResult>): Promise<TaskResult> {
  const result = await task()
  await delay(50)
  return result
}
