// A program in a process of its own, started as the examples and the documents say: PORT in the environment, and the
// address it listens on in its first lines.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** Longest that a program may take until it listens, in milliseconds. */
const START = 20_000

export class Program {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  output = ''

  /** Runs `node`, or another runtime, with these arguments in the project's folder; PORT is 0. */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, runtime = process.execPath) {
    this.#child = spawn(runtime, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PORT: '0', ...env },
    })
    this.#ended = once(this.#child, 'close')
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
  }

  /** Starts one that says where it listens, and waits until it does. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv = {}, runtime?: string): Promise<Program> {
    const program = new Program(args, env, runtime)
    const due = performance.now() + START
    while (program.port === 0) {
      if (!(await program.lives(50)) || performance.now() > due) {
        await program.kill()
        throw new Error(`${args.join(' ')} does not listen:\n${program.output}`)
      }
    }
    return program
  }

  /** The port in the address that it has printed; 0 until then. */
  get port(): number {
    return Number(/listening on (?:https?|wss?):\/\/127\.0\.0\.1:(\d+)\n/.exec(this.output)?.[1] ?? 0)
  }

  /** Whether it still runs after so many milliseconds. */
  async lives(milliseconds: number): Promise<boolean> {
    const { promise, timer } = later(milliseconds)
    const lives = await Promise.race([this.#ended.then(() => false), promise.then(() => true)])
    clearTimeout(timer)
    return lives
  }

  interrupt(): void {
    this.#child.kill('SIGINT')
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

function later(milliseconds: number): { promise: Promise<void>; timer: NodeJS.Timeout | undefined } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  return { promise, timer }
}
