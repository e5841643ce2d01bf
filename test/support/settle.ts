// Waiting for what is due, without waiting for time.

/** Resolves when pending callbacks have run: microtasks, immediates, and those that these start. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}
