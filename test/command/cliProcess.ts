// The command line in a process of its own, as a person starts it.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export const cliPath = fileURLToPath(new URL('../../src/cli.js', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export class CliProcess {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** Resolves when the process has ended and its output has been read. */
  readonly outcome: Promise<Outcome>
  stdout = ''
  stderr = ''
  /** The address of its start line, for WebSockets. */
  url = ''

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [cliPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.outcome = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  /** Starts a server on a free port, and waits until it says that it listens. */
  static async start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<CliProcess> {
    const cli = new CliProcess(['--port', '0', ...args], env)
    while (!cli.stdout.includes('\n')) {
      const ended = await Promise.race([once(cli.child.stdout, 'data').then(() => false), cli.outcome.then(() => true)])
      if (ended) throw new Error(`it ended before it listened: ${cli.stderr}`)
    }
    cli.url = /ws:\/\/\S+/.exec(cli.stdout)?.[0] ?? ''
    return cli
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Ends it, however it is. */
  async close(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.outcome
  }
}

/** Runs it to its end. */
export function runCli(...args: string[]): Promise<Outcome> {
  return new CliProcess(args).outcome
}
