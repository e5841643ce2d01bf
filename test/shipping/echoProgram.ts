// An echo server as a program of its own: its source for whoever imports the package in which way, and its life, from
// the port it prints to the end of its standard input, which must be its own end too.
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { ascii, assertSame, binary } from '../clients/payloads.js'
import { WsClient } from '../clients/wsClient.js'

/** The program; `imports` is the line that gives it `createServer`. No top-level await: CommonJS has none. */
export function echoSource(imports: string): string {
  return `${imports}
async function main() {
  const server = createServer({
    message(connection, message) { connection.send(message) },
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  process.stdin.on('end', () => server.close()).resume()
  console.log('port ' + server.address.port)
}
main()
`
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Start {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** How many servers say that they listen. */
  readonly servers?: number
}

/** One that fits into the shortest header, one of 16 bits and more, one that needs a region of its own. */
const LENGTHS = [20, 70_000, 1_048_576]

/** How long one may run. Each test has time for two. */
const MOST_TIME = 25_000

/** How the program above tells its port, and how the command `millrace` does. */
const PORT = /(?:^port | echoes ws:\/\/127\.0\.0\.1:)(\d+)\b/gm

export class EchoProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  /** Resolves when the process has ended and its output has been read. */
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  constructor(command: string, args: readonly string[], { cwd, env }: Start = {}) {
    this.#child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // One that hangs ends with a signal that no test expects.
      timeout: MOST_TIME,
      killSignal: 'SIGKILL',
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#child.stdin.on('error', () => undefined) // it may have ended: `ended` tells
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }))
    })
  }

  /** Starts it, echoes, ends it, and expects that it had nothing to complain about. */
  static async prove(command: string, args: readonly string[], start: Start = {}): Promise<void> {
    const program = new EchoProgram(command, args, start)
    try {
      await program.echo(start.servers)
      const { code, signal, stderr } = await program.end()
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
    } finally {
      await program.kill()
    }
  }

  /** Every length comes back as it was, as text and as binary, over two connections at once to each server. */
  async echo(servers = 1): Promise<void> {
    for (const port of await this.#ports(servers)) {
      const url = `ws://127.0.0.1:${port}`
      const clients = await Promise.all([WsClient.open(url), WsClient.open(url)])
      for (const length of LENGTHS) {
        for (const [seed, client] of clients.entries()) {
          for (const payload of [ascii(length), binary(length, seed)]) {
            client.socket.send(payload)
            assertSame(await client.messages.next(), payload)
          }
        }
      }
      for (const client of clients) assert.equal((await client.close(1000)).code, 1000)
    }
  }

  /** Says that nothing more is wanted: by the end of its input, or by a signal. */
  end(signal?: NodeJS.Signals): Promise<Ended> {
    if (signal === undefined) this.#child.stdin.end()
    else this.#child.kill(signal)
    return this.ended
  }

  /** Ends it, however it is. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** The ports, when that many servers have told theirs. In a cluster it is the same one. */
  async #ports(servers: number): Promise<ReadonlySet<string>> {
    for (;;) {
      const ports = [...this.#stdout.matchAll(PORT)].map(([, port = '']) => port)
      if (ports.length >= servers) return new Set(ports)
      const data = new Promise((resolve) => this.#child.stdout.once('data', () => resolve(undefined)))
      const ended = await Promise.race([data, this.ended])
      if (ended !== undefined) throw new Error(`it ended before it listened: ${JSON.stringify(ended)}`)
    }
  }
}
