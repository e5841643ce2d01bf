// A Redis server for the tests, where a machine has one. Each is a child of the test, on a port of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const { REDIS_SERVER = 'redis-server', VALKEY_SERVER = 'valkey-server', PATH = '' } = process.env

/**
 * Why tests with Redis can't run here; false if they can. In CI they always run, and fail without it: a suite that is
 * skipped for months looks green.
 */
export function redisMissing(): string | false {
  if (process.env['CI'] === 'true') return false
  return isInstalled(REDIS_SERVER)
    ? false
    : 'there is no redis-server: apt-get install redis-server, or set REDIS_SERVER'
}

/** The servers that the same tests are run with. Not every system has a package of Valkey, so CI may skip it, too. */
export const REDIS_LIKE: readonly { readonly command: string; readonly skip: string | false }[] = [
  { command: REDIS_SERVER, skip: redisMissing() },
  { command: VALKEY_SERVER, skip: isInstalled(VALKEY_SERVER) ? false : 'there is no valkey-server: set VALKEY_SERVER' },
]

/** Whether a command can be started: by its name, or by its path. */
export function isInstalled(command: string): boolean {
  return PATH.split(delimiter).some((folder) => existsSync(join(folder, command))) || existsSync(command)
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

export class RedisServer {
  readonly port: number
  readonly #command: string
  readonly #arguments: readonly string[]
  #child: ChildProcess | undefined

  private constructor(port: number, more: readonly string[], command: string) {
    this.port = port
    this.#command = command
    const common = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
    this.#arguments = ['--port', String(port), ...common, ...more]
  }

  /** Starts one that is ready; `more` are arguments. */
  static async start(more: readonly string[] = [], command = REDIS_SERVER): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), more, command)
    await server.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it again, on the same port. */
  async start(): Promise<void> {
    const child = spawn(this.#command, this.#arguments, { stdio: 'ignore' })
    this.#child = child
    let problem = ''
    child.once('error', (error) => {
      problem = error.message
    })
    child.once('exit', (code) => {
      problem ||= `it ended with ${code}`
    })
    for (let attempt = 0; attempt < 200 && problem === ''; attempt++) {
      if (await listensAt(this.port)) return
      await sleep(50)
    }
    child.kill('SIGKILL')
    throw new Error(`${this.#command} does not start: ${problem}`)
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Stops it from doing anything, without closing its connections. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }
}

async function listensAt(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
