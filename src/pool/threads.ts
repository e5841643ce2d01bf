// What all pools of threads have in common: a thread that is ended may read and write the shared memory to its last moment.
import type { Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'

/** What the package that runs the threads exports. */
export type ThreadsPackage = typeof import('piscina')

/** Runs a task. If a thread ends amid it, the promise rejects when the thread is really gone. */
export async function runIn<Task, Result>(
  threads: Piscina<Task, Result>,
  task: Task,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Result> {
  const answer = threads.run(task, options)
  const before = threads.threads // one of these threads runs the task, or will
  try {
    return await answer
  } catch (error) {
    await ended(before.filter((thread) => !threads.threads.includes(thread)))
    throw error
  }
}

/** Resolves when these threads are really gone; piscina only asks them to end. */
async function ended(threads: readonly Worker[]): Promise<void> {
  const running = threads.filter(({ threadId }) => threadId !== -1)
  await Promise.all(running.map((thread) => new Promise((resolve) => thread.once('exit', resolve))))
}
