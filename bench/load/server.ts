// millrace's own echo server in a process of its own, on a core of its own where the system can do that.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url))

export interface EchoServer {
  readonly url: URL
  /** The cores of server and client; undefined where processes are not pinned. */
  readonly cores: readonly [number, number] | undefined
  close(): Promise<void>
}

/** Starts it, and pins it and this process to different cores. */
export async function startServer(): Promise<EchoServer> {
  const cores = twoCores()
  const command = [process.execPath, CLI, '--port', '0', '--max-message', '64MiB']
  const [file = '', ...args] = cores === undefined ? command : ['taskset', '-c', String(cores[0]), ...command]
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  // Whatever ends this process must not leave the server behind.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  if (cores !== undefined) spawnSync('taskset', ['-a', '-c', '-p', String(cores[1]), String(process.pid)])
  const url = await urlOf(child)
  return {
    url,
    cores,
    async close() {
      process.off('exit', kill)
      const ended = once(child, 'exit')
      kill() // not gracefully: clients that were cut off in a shot owe it answers
      await ended
    },
  }
}

/** The address in the line that it prints when it listens. */
async function urlOf(child: ChildProcess): Promise<URL> {
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = once(child, 'exit').then(() => true)
  while (child.stdout !== null && !output.includes('\n')) {
    if (await Promise.race([ended, once(child.stdout, 'data').then(() => false)])) break
  }
  const found = /ws:\/\/\S+/.exec(output)?.[0]
  if (found === undefined) throw new Error('the echo server ended before it listened')
  return new URL(found)
}

/** The first and the last core that this process may use, if they differ and `taskset` is there. */
function twoCores(): readonly [number, number] | undefined {
  const { status, stdout } = spawnSync('taskset', ['-c', '-p', String(process.pid)], { encoding: 'utf8' })
  if (status !== 0) return undefined
  const numbers = stdout.slice(stdout.lastIndexOf(':')).match(/\d+/g)?.map(Number) ?? []
  const [first, last] = [numbers[0], numbers.at(-1)]
  return first === undefined || last === undefined || first === last ? undefined : [first, last]
}
