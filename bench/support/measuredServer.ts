// A server under measurement, in a process of its own on a core of its own: a program that is `measured`.
import { type RunningServer, tellsUsage, type Usage } from './process.js'
import { Program } from './talk.js'

const SERVER_CORE = 0

export class MeasuredServer implements RunningServer {
  readonly #program: Program
  readonly url: string
  /** Where the system tells nothing of other processes, the server tells it of itself. */
  readonly usage: (() => Promise<Usage>) | undefined

  private constructor(program: Program, port: number) {
    this.#program = program
    this.url = `ws://127.0.0.1:${port}/`
    this.usage = tellsUsage ? undefined : () => program.ask<Usage>('usage')
  }

  /** Starts the program at a path with these arguments. */
  static async open(path: string, args: readonly string[]): Promise<MeasuredServer> {
    const program = new Program(SERVER_CORE, path, [...args], { flags: ['--expose-gc'] })
    try {
      return new MeasuredServer(program, await program.ask<number>('port'))
    } catch (error) {
      await program.stop()
      throw error
    }
  }

  get pid(): number {
    return this.#program.pid
  }

  /** Bytes that the process holds after a garbage collection. */
  resident(): Promise<number> {
    return this.#program.ask('resident')
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }
}
