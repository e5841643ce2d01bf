// Starts an echo server as a process of its own, under limits of the system, and asks it what it uses.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServerOptions } from '../../src/server/options.js'

const PROGRAM = fileURLToPath(new URL('./limitedServerProgram.js', import.meta.url))

/** What the server said of itself. */
export interface Usage {
  readonly port: number
  /** Milliseconds of CPU time. */
  readonly cpu: number
  readonly rss: number
  readonly descriptors: number
  readonly connections: number
  readonly warnings: readonly string[]
}

export class LimitedServer {
  port = 0
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child
    this.#lines = lines
  }

  /** With at most `descriptors` descriptors; 0 is as many as this process may have. */
  static async start(descriptors: number, options: ServerOptions): Promise<LimitedServer> {
    const script = `${descriptors === 0 ? '' : `ulimit -n ${descriptors}; `}exec "$0" "$@"`
    const args = ['-c', script, process.execPath, PROGRAM, JSON.stringify(options)]
    const child = spawn('sh', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const server = new LimitedServer(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]())
    server.port = (await server.#read()).port
    return server
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  usage(): Promise<Usage> {
    this.#child.stdin?.write('?\n')
    return this.#read()
  }

  /** Closes the server; resolves with the exit code. */
  async close(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin?.end()
    return await ended
  }

  kill(): void {
    this.#child.kill()
  }

  async #read(): Promise<Usage> {
    const { value } = await this.#lines.next()
    return JSON.parse(value ?? '{}')
  }
}
