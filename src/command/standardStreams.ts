// What the command says on standard output and standard error, which may be gone: whoever read them has left, or a disk is full.
// Node.js ends a process for that with a stack trace, or says nothing of it at all.

/** Whether something that was printed has not arrived. */
let lost = false

/** From now on, no failure of the two streams ends the process: a server goes on although nobody reads what it writes down. */
export function mindStreams(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}

/** Writes a result to standard output, with a line break behind it. If that fails, the exit code is 1. */
export function print(text: string): void {
  try {
    process.stdout.write(`${text}\n`, (error) => {
      if (error) lose(error)
    })
  } catch (error) {
    lose(error)
  }
}

/** Writes to standard error what nobody misses if it can't be written. */
export function mention(text: string): void {
  try {
    process.stderr.write(text)
  } catch {
    // Standard error is where this would be said.
  }
}

/** The exit code of a command that ends with `code`. */
export function exitCodeFor(code: number): number {
  return lost ? 1 : code
}

function lose(error: unknown): void {
  const { code, message }: NodeJS.ErrnoException = Object(error)
  // A reader that leaves, as `head` does, has what it wanted.
  if (!lost && code !== 'EPIPE') mention(`millrace: standard output can't be written (${code ?? message})\n`)
  lost = true
  process.exitCode = 1
}
