// A server under measurement, on one of the two engines.
import { fileURLToPath } from 'node:url'
import { type RunningServer, tellsUsage, type Usage } from '../support/process.js'
import { Program } from '../support/talk.js'

export type Engine = 'ws' | 'millrace'

/** It echoes: with a callback for each message, as text that was decoded, or compressed. */
export type Mode = 'echo' | 'callback' | 'text' | 'deflate'

/** Whether it takes the upgrades of an HTTP server, or listens by itself. */
export type Place = 'http' | 'port'

const SERVER_CORE = 0
const PROGRAM = fileURLToPath(new URL('./server.js', import.meta.url))

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

  static async open(engine: Engine, mode: Mode, place: Place): Promise<Target> {
    const program = new Program(SERVER_CORE, PROGRAM, [engine, mode, place], { flags: ['--expose-gc'] })
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
