// A server under measurement, of one of the two checkouts.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunningServer, tellsUsage, type Usage } from '../support/process.js'
import { Program } from '../support/talk.js'

export type Mode = 'echo' | 'publish'

const SERVER_CORE = 0
const PROGRAM = fileURLToPath(new URL('./server.js', import.meta.url))

/** The folder of a built checkout as an absolute path. Throws an Error where nothing is built. */
export function builtCheckout(folder: string): string {
  const checkout = resolve(folder)
  if (existsSync(join(checkout, 'dist/src/index.js'))) return checkout
  throw new Error(`${folder} is no built checkout: there is no dist/src/index.js in it`)
}

export class Target implements RunningServer {
  readonly #program: Program
  readonly url: string
  /** Where the system tells nothing of other processes, the server tells it of itself. */
  readonly usage: (() => Promise<Usage>) | undefined

  private constructor(program: Program, port: number) {
    this.#program = program
    this.url = `ws://127.0.0.1:${port}/`
    this.usage = tellsUsage ? undefined : () => program.ask<Usage>('usage')
  }

  static async open(checkout: string, mode: Mode): Promise<Target> {
    const program = new Program(SERVER_CORE, PROGRAM, [checkout, mode], { flags: ['--expose-gc'] })
    try {
      return new Target(program, await program.ask<number>('port'))
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
