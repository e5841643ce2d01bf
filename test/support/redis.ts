// A Redis server for the tests, where a machine has one. Each is a child of the test, on a port of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const { REDIS_SERVER = 'redis-server', PATH = '' } = process.env

/**
 * Why tests with Redis can't run here; false if they can. In CI they always run, and fail without it: a suite that is
 * skipped for months looks green.
 */
export function redisMissing(): string | false {
  if (process.env['CI'] === 'true') return false
  const found =
    PATH.split(delimiter).some((folder) => existsSync(join(folder, REDIS_SERVER))) || existsSync(REDIS_SERVER)
  return found ? false : 'there is no redis-server: apt-get install redis-server, or set REDIS_SERVER'
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
  readonly #arguments: readonly string[]
  #child: ChildProcess | undefined

  private constructor(port: number, more: readonly string[]) {
    this.port = port
    const common = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
    this.#arguments = ['--port', String(port), ...common, ...more]
  }

  /** Starts one that is ready; `more` are arguments. */
  static async start(more: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), more)
    await server.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it again, on the same port. */
  async start(): Promise<void> {
    const child = spawn(REDIS_SERVER, this.#arguments, { stdio: 'ignore' })
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
    throw new Error(`redis-server does not start: ${problem}`)
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
