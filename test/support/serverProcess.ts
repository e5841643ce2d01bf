// A server of another project for the tests: a child of the test, on a port that was free. It is started again on the same
// port, killed as by a power cut, and frozen.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const { PATH = '' } = process.env

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

export class ServerProcess {
  readonly port: number
  readonly #command: string
  readonly #arguments: readonly string[]
  #child: ChildProcess | undefined

  protected constructor(command: string, args: readonly string[], port: number) {
    this.port = port
    this.#command = command
    this.#arguments = args
  }

  /** Starts it, also again, on the same port. */
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
