// A NATS server for the tests, where a machine has one. Each is a child of the test, on a port of its own.
import { existsSync } from 'node:fs'
import { freePort, isInstalled, ServerProcess } from './serverProcess.js'

/** Where Debian puts it, which is not in the PATH of every user. */
const DEBIAN = '/usr/sbin/nats-server'
const { NATS_SERVER = existsSync(DEBIAN) ? DEBIAN : 'nats-server' } = process.env

/**
 * Why tests with NATS can't run here; false if they can. In CI they always run, and fail without it: a suite that is
 * skipped for months looks green.
 */
export function natsMissing(): string | false {
  if (process.env['CI'] === 'true' || isInstalled(NATS_SERVER)) return false
  return 'there is no nats-server: apt-get install nats-server, or set NATS_SERVER'
}

export class NatsServer extends ServerProcess {
  /** Starts one that is ready; `more` are arguments. */
  static async start(more: readonly string[] = []): Promise<NatsServer> {
    const port = await freePort()
    const server = new NatsServer(NATS_SERVER, ['--addr', '127.0.0.1', '--port', String(port), ...more], port)
    await server.start()
    return server
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }
}
