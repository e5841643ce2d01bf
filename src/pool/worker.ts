// A thread of the pool: maps the memory of the server's thread, and runs the application's module on the regions that
// it is told of. Imported by piscina, nobody else.
import { platform, setPriority } from 'node:os'
import { workerData } from 'node:worker_threads'
import { callerError, isErrorCode } from '../checks/errors.js'
import { InvalidJson } from '../protocol/invalidJson.js'
import { LargeMessage, largeMessageInternals } from './largeMessage.js'
import type { Outcome, Task, ThreadData } from './task.js'

const { memory, module } = workerData as ThreadData

// Only Linux gives a thread a priority of its own; elsewhere this would be the whole process's.
if (platform() === 'linux') setPriority(19)

type Handler = (message: LargeMessage, context: { readonly data: unknown }) => unknown

let loading: Promise<Handler> | undefined

async function load(): Promise<Handler> {
  const { default: handler }: { default?: unknown } = await import(module)
  // A CommonJS module's default export is what it exports; one that was compiled has it below that.
  const unwrapped = typeof handler === 'object' && handler !== null && 'default' in handler ? handler.default : handler
  if (typeof unwrapped !== 'function')
    throw callerError('ERR_LARGE_MODULE_EXPORT', `${module} has no function as its default export`)
  return unwrapped as Handler
}

/** Runs a task; one of length -1 only loads the module. */
export default async function run(task: Task): Promise<Outcome> {
  try {
    loading ??= load()
    return await answer(await loading, task)
  } catch (error) {
    return told(error)
  }
}

async function answer(handler: Handler, { pointer, length, isText, data }: Task): Promise<Outcome> {
  if (length < 0) return { echo: false, value: undefined }
  const message = new LargeMessage(memory.buffer, pointer, length, isText)
  try {
    const value = await handler(message, { data })
    return value === message ? { echo: true } : { echo: false, value }
  } catch (error) {
    return told(error, message)
  } finally {
    largeMessageInternals.release(message)
  }
}

/** An error of the catalogue, as it travels; throws any other error. The module may have kept it from another message. */
function told(error: unknown, message?: LargeMessage): Outcome {
  if (!(error instanceof Error && 'code' in error && isErrorCode(error.code))) throw error
  const fromMessage = message !== undefined && InvalidJson.isFrom(error, message)
  return { failure: { code: error.code, message: error.message, stack: error.stack, fromMessage } }
}
