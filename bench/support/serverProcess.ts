// Starts a server in a process of its own, on a free port, and knows when it listens.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pinned, type RunningServer } from './process.js'
import { root } from './publish.js'

const START_TIMEOUT = 10_000
const LONGEST_ECHO = '64MiB'
const SERVER_CORE = 0

export interface ServerPlace {
  /** Default `ws`. */
  readonly scheme?: 'ws' | 'wss'
  /** Whether its threads share the first core. Default true. */
  readonly pin?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

/** Whatever ends this process must not leave them behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts a program that prints a line when it listens; `command` is told the port. Rejects with what the program said if
 * it does not come up.
 */
export async function startServer(
  command: (port: number) => readonly string[],
  { scheme = 'ws', pin = true, environment = {} }: ServerPlace = {},
): Promise<RunningServer> {
  const port = await freePort()
  const [program = '', ...args] = pin ? pinned(SERVER_CORE, command(port)) : command(port)
  const env = { ...process.env, ...environment }
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: join(root, 'bench', 'peers'), env })
  running.add(child)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await listening(child)
  return {
    url: `${scheme}://127.0.0.1:${port}/`,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGKILL')
      await ended
      running.delete(child)
    },
  }
}

/** millrace's own echo server, with its page. */
export function startEchoServer(): Promise<RunningServer> {
  const command = [process.execPath, join(root, 'dist', 'src', 'cli.js'), '--max-message', LONGEST_ECHO, '--port']
  return startServer((port) => [...command, String(port)])
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error('did not start in time'))
    }, START_TIMEOUT)
    child.stderr?.on('data', (text: Buffer) => {
      said += text.toString()
    })
    child.once('error', reject).once('close', () => {
      clearTimeout(timer)
      reject(new Error(said.split('\n').find((line) => /error/i.test(line)) ?? 'ended at once'))
    })
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).once('line', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
