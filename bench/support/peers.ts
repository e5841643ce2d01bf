// The servers that are compared: how each is started, and why one can't be.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pinned, type RunningServer, succeeds } from './process.js'
import { messageOf } from './talk.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const peers = join(root, 'bench', 'peers')
const floor = join(root, 'build', 'floor')

export type PeerName = 'millrace' | 'ws' | 'uWebSockets.js' | 'Bun' | 'floor'

/**
 * What a server does with a message: echoes it, echoes it compressed, sends it to every connection that it has, or
 * parses it, where it is large, and answers with how much is in it.
 */
export type Mode = 'plain' | 'deflate' | 'broadcast' | 'documents'

export interface Peer {
  readonly name: PeerName
  /** Those that it has; it takes no part in the rows of the others. */
  readonly modes: readonly Mode[]
  readonly command: (port: number, mode: Mode) => readonly string[]
  /** Throws if it can't run here; the message becomes its row. */
  readonly prepare: () => void
}

function script(name: string, program: string = process.execPath): Peer['command'] {
  return (port, mode) => [program, join(peers, `${name}.mjs`), String(port), mode]
}

function needs(folder: string): () => void {
  return () => {
    if (!existsSync(join(peers, 'node_modules', folder))) throw new Error('is not installed: npm run bench:install')
  }
}

const allModes: readonly Mode[] = ['plain', 'deflate', 'broadcast', 'documents']

export const allPeers: readonly Peer[] = [
  { name: 'floor', modes: ['plain'], command: (port) => [floor, String(port)], prepare: buildFloor },
  {
    name: 'millrace',
    modes: ['plain', 'broadcast', 'documents'],
    command: script('millrace'),
    prepare: () => undefined,
  },
  {
    name: 'uWebSockets.js',
    modes: allModes,
    command: script('uws'),
    prepare: needs('@trufflesuite/uws-js-unofficial'),
  },
  {
    name: 'Bun',
    modes: allModes,
    command: script('bun', join(peers, 'node_modules', '.bin', 'bun')),
    prepare: needs('bun'),
  },
  { name: 'ws', modes: allModes, command: script('ws'), prepare: needs('ws') },
]

/** The limit of the machine is a C program: without a compiler there is none. */
function buildFloor(): void {
  if (process.platform !== 'linux') throw new Error('is written for Linux')
  const compiler = ['cc', 'gcc', 'clang'].find((name) => succeeds(name, ['--version']))
  if (compiler === undefined) throw new Error('needs a C compiler')
  mkdirSync(join(root, 'build'), { recursive: true })
  execFileSync(compiler, ['-O2', '-o', floor, join(peers, 'floor.c')], { stdio: 'ignore' })
}

/** The named ones that can run here, in this order; why the others can't is told. */
export function availablePeers(names: readonly PeerName[], missing: (name: PeerName, why: string) => void): Peer[] {
  const wanted = names.flatMap((name) => allPeers.filter((peer) => peer.name === name))
  return wanted.filter((peer) => {
    try {
      peer.prepare()
      return true
    } catch (error) {
      missing(peer.name, messageOf(error))
      return false
    }
  })
}

const START_TIMEOUT = 10_000
const LONGEST_ECHO = '64MiB'
const cli = join(root, 'dist', 'src', 'cli.js')

/** millrace's own echo server, with its page. */
export function startEchoServer(): Promise<RunningServer> {
  const command = [process.execPath, cli, '--max-message', LONGEST_ECHO, '--port']
  return startServer((port) => pinned(0, [...command, String(port)]))
}

/** Starts a peer on a free port, on the first core. Rejects with what it said if it does not come up. */
export function startPeer(peer: Peer, mode: Mode = 'plain'): Promise<RunningServer> {
  return startServer((port) => pinned(0, peer.command(port, mode)))
}

/** The same of any program, which prints a line when it listens. */
export async function startServer(command: (port: number) => readonly string[]): Promise<RunningServer> {
  const port = await freePort()
  const [program = '', ...args] = command(port)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: peers })
  // Whatever ends this process must not leave the server behind.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await listening(child)
  return {
    url: `ws://127.0.0.1:${port}/`,
    pid: child.pid ?? 0,
    stop: async () => {
      process.off('exit', kill)
      kill()
      await ended
    },
  }
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
    child.once('error', (error) => reject(error))
    child.once('close', () => {
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
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
