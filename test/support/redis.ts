// A Redis server for the tests, where a machine has one. Each is a child of the test, on a port of its own.
import { freePort, isInstalled, ServerProcess } from './serverProcess.js'

const { REDIS_SERVER = 'redis-server', VALKEY_SERVER = 'valkey-server' } = process.env

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

export class RedisServer extends ServerProcess {
  /** Starts one that is ready; `more` are arguments. */
  static async start(more: readonly string[] = [], command = REDIS_SERVER): Promise<RedisServer> {
    const port = await freePort()
    const common = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
    const server = new RedisServer(command, ['--port', String(port), ...common, ...more], port)
    await server.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }
}
