// Waiting for the end of what is under way, while a server closes.

/** How often the condition is checked, in milliseconds. */
const STEP = 10

/** Resolves when `condition` holds, or when it has not for `timeout` milliseconds; 0 is for ever. Keeps the process alive. */
export function until(condition: () => boolean, timeout: number): Promise<void> {
  if (condition()) return Promise.resolve()
  const end = timeout === 0 ? Infinity : performance.now() + timeout
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (performance.now() < end && !condition()) return
      clearInterval(timer)
      resolve()
    }, STEP)
  })
}
