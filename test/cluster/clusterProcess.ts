// Starts clusterProgram, talks to it, and makes sure that nothing of it stays behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ClusterOptions, ListenOptions, Metrics, ProcessStatistics } from '../../src/index.js'
import { Inbox } from '../clients/inbox.js'
import { eventually } from '../support/socketClient.js'

const PROGRAM = fileURLToPath(new URL('./clusterProgram.js', import.meta.url))

interface Said {
  readonly addresses?: readonly (AddressInfo | string)[]
  readonly statistics?: readonly ProcessStatistics[]
  readonly metrics?: Metrics
  readonly failed?: string
  readonly message?: string
  readonly primary?: boolean
}

export class ClusterProcess {
  readonly child: ChildProcess
  readonly said = new Inbox<Said>()
  /** The exit code, or the signal that killed it, when all that it and its acceptors have said is read. */
  readonly ended: Promise<number | string>
  stderr = ''
  readonly #pids = new Set<number>()

  constructor(
    options: Omit<ListenOptions & ClusterOptions, 'tls' | 'log'> & { readonly closeTimeout?: number } = {},
    ...args: string[]
  ) {
    this.child = spawn(process.execPath, [PROGRAM, JSON.stringify(options), ...args], { stdio: 'pipe' })
    if (this.child.stdout !== null) {
      createInterface({ input: this.child.stdout }).on('line', (line) => this.said.push(JSON.parse(line)))
    }
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(this.child, 'close').then(([code, signal]) => code ?? signal)
    this.ended.then(() => this.said.end(`it has ended: ${this.stderr}`))
  }

  static async start(options: ConstructorParameters<typeof ClusterProcess>[0] = {}, ...args: string[]) {
    const cluster = new ClusterProcess(options, ...args)
    const { addresses = [], statistics = [] } = await cluster.#hear()
    const [address] = addresses
    return { cluster, address, port: typeof address === 'object' ? address.port : 0, pids: pidsOf(statistics) }
  }

  async statistics(): Promise<readonly ProcessStatistics[]> {
    return (await this.ask('statistics')).statistics ?? []
  }

  /** Waits until so many acceptors listen, of whom none is in `not`; resolves with their pids. */
  async listening(count: number, not: readonly number[] = []): Promise<number[]> {
    const end = performance.now() + 15_000
    for (;;) {
      const pids = pidsOf((await this.statistics()).filter(({ state }) => state === 'listening'))
      if (pids.length === count && !pids.some((pid) => not.includes(pid))) return pids
      if (performance.now() > end) throw new Error(`${count} acceptors do not listen: ${this.stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  ask(question: string): Promise<Said> {
    this.child.stdin?.write(`${question}\n`)
    return this.#hear()
  }

  /** Ends it, however it is, and rejects if an acceptor stays. */
  async end(): Promise<void> {
    this.child.kill('SIGKILL')
    await eventually(() => ![...this.#pids].some(isAlive), 'the acceptors end with their primary')
    await this.ended
  }

  async #hear(): Promise<Said> {
    const said = await this.said.next()
    for (const { pid } of said.statistics ?? []) this.#pids.add(pid)
    return said
  }
}

function pidsOf(statistics: readonly ProcessStatistics[]): number[] {
  return statistics.map(({ pid }) => pid)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
