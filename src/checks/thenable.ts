// A promise by its shape, as `await` sees it: handlers may return those of any library, and of any realm.

/** Whether a value is a promise, for all that `await` cares. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** A promise of what `value` settles with. `Promise.resolve` alone throws where a getter of the value's does. */
export function promiseOf(value: PromiseLike<unknown>): Promise<unknown> {
  try {
    return Promise.resolve(value)
  } catch (error) {
    return Promise.reject(error)
  }
}
