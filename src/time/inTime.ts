// Waiting that ends.

/** Resolves when `work` does, or after so many milliseconds. `work` must not reject. */
export async function inTime(work: Promise<unknown>, most: number): Promise<void> {
  let late: NodeJS.Timeout | undefined
  const timeout = new Promise((resolve) => {
    late = setTimeout(resolve, most)
  })
  await Promise.race([work, timeout])
  clearTimeout(late)
}
