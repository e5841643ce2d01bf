// The servers that are compared: how each is started, and why one can't be.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateFiles } from './certificate.js'
import { type RunningServer, succeeds } from './process.js'
import { root } from './publish.js'
import { startServer } from './serverProcess.js'
import { messageOf } from './talk.js'

const peers = join(root, 'bench', 'peers')
const floor = join(root, 'build', 'floor')

export type PeerName =
  | 'floor'
  | 'bare handle'
  | 'millrace'
  | 'public API'
  | 'uWebSockets.js'
  | 'uWS dedicated'
  | 'Bun'
  | 'ws'

/** They are other settings of a server that is there already, or a second floor: only rows that name them have them. */
export const variants: readonly PeerName[] = ['bare handle', 'public API', 'uWS dedicated']

/**
 * What a server does: it echoes messages, also where Node's own sockets are the floor, compressed or over TLS, sends them to every connection that it has,
 * or parses one, where it is large, and answers with how much is in it. `import` is no server: a process that loads the
 * library, and ends.
 */
export type Mode = 'plain' | 'net' | 'deflate' | 'tls' | 'broadcast' | 'documents' | 'import'

export interface Peer {
  readonly name: PeerName
  /** Those that it has; it takes no part in the rows of the others. */
  readonly modes: readonly Mode[]
  /** Its program, with what runs it. */
  readonly command: (mode: Mode) => readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Returns its version. Throws if it can't run here; the message becomes its row. */
  readonly prepare: () => string
}

const servers: readonly Mode[] = ['plain', 'deflate', 'tls', 'broadcast', 'documents']

/** All of them, those for Node.js by this program. */
export function peersOn(node: string): readonly Peer[] {
  const script = (name: string, program = node): Peer['command'] => {
    return () => [program, join(peers, `${name}.mjs`)]
  }
  const uws: Peer['command'] = () => [loadedBuild(node).node, join(peers, 'uws.mjs')]
  const bun = bunProgram()
  return [
    {
      name: 'floor',
      modes: ['plain', 'net', 'tls'],
      command: (mode) => (mode === 'plain' ? [floor] : [node, join(peers, 'floorOverNode.mjs')]),
      prepare: buildFloor,
    },
    {
      name: 'bare handle',
      modes: ['plain'],
      command: script('bareHandle'),
      prepare: () => 'bench/peers/bareHandle.mjs',
    },
    {
      name: 'millrace',
      modes: [...servers, 'net', 'import'],
      command: script('millrace'),
      prepare: () => versionIn(root),
    },
    {
      name: 'public API',
      modes: ['net'],
      command: script('millrace'),
      environment: { MILLRACE_PUBLIC_API: '1' },
      prepare: () => versionIn(root),
    },
    {
      name: 'uWebSockets.js',
      modes: [...servers, 'import'],
      command: uws,
      prepare: () => loadedBuild(node).version,
    },
    {
      name: 'uWS dedicated',
      modes: ['deflate'],
      command: uws,
      environment: { UWS_COMPRESSION: 'dedicated' },
      prepare: () => loadedBuild(node).version,
    },
    { name: 'Bun', modes: servers, command: script('bun', bun), prepare: () => versionOf(bun) },
    {
      name: 'ws',
      modes: [...servers, 'import'],
      command: script('ws'),
      prepare: () => `${installed('ws')} with bufferutil ${installed('bufferutil')}`,
    },
  ]
}

function versionIn(folder: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return version
}

function installed(name: string): string {
  const folder = join(peers, 'node_modules', name)
  if (!existsSync(folder)) throw new Error('is not installed: npm run bench:install')
  return versionIn(folder)
}

/** Where it is installed for these benchmarks; else the one that the system has, if it has one. */
function bunProgram(): string {
  const own = join(peers, 'node_modules', '.bin', 'bun')
  return existsSync(own) ? own : 'bun'
}

export function versionOf(program: string): string {
  const { stdout, status } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  if (status !== 0) throw new Error('is not installed: npm run bench:install')
  return stdout.trim()
}

/** The Node.js that runs uWebSockets.js, and the build that it has loaded. */
interface LoadedBuild {
  readonly node: string
  readonly version: string
}

const builds = new Map<string, LoadedBuild>()

/**
 * uWebSockets.js is a binary for each version of Node.js and of the C library: the newest of those on npm that `node`
 * loads. Where it loads none, that which the Node.js of this program loads: the server is C++, and hardly differs by it.
 */
function loadedBuild(node: string): LoadedBuild {
  const known = builds.get(node)
  if (known !== undefined) return known
  const { stdout, stderr, status } = spawnSync(node, [join(peers, 'uws.mjs'), 'version'], { encoding: 'utf8' })
  if (status !== 0 && node !== process.execPath) return lentBuild(node)
  if (status !== 0) {
    const [, why = 'is not installed: npm run bench:install'] = /^Error: (no build.*)/m.exec(stderr) ?? []
    throw new Error(why.replaceAll(/[^ (]*\/node_modules\//g, ''))
  }
  const build = { node, version: stdout.trim() }
  builds.set(node, build)
  return build
}

function lentBuild(node: string): LoadedBuild {
  const { version } = loadedBuild(process.execPath)
  const build = { node: process.execPath, version: `${version} (on Node.js ${process.versions.node})` }
  builds.set(node, build)
  return build
}

/** The limit of the machine is a C program: without a compiler there is none. */
function buildFloor(): string {
  if (process.platform !== 'linux') throw new Error('is written for Linux')
  const compiler = ['cc', 'gcc', 'clang'].find((name) => succeeds(name, ['--version']))
  if (compiler === undefined) throw new Error('needs a C compiler')
  mkdirSync(join(root, 'build'), { recursive: true })
  execFileSync(compiler, ['-O2', '-o', floor, join(peers, 'floor.c')], { stdio: 'ignore' })
  return 'bench/peers/floor.c'
}

/** The named ones that can run here, in this order; why the others can't is told, and which version the others have. */
export function availablePeers(
  names: readonly PeerName[],
  missing: (name: PeerName, why: string) => void,
  node: string = process.execPath,
  found: (name: PeerName, version: string) => void = () => undefined,
): Peer[] {
  const wanted = names.flatMap((name) => peersOn(node).filter((peer) => peer.name === name))
  return wanted.filter((peer) => {
    try {
      found(peer.name, peer.prepare())
      return true
    } catch (error) {
      missing(peer.name, messageOf(error))
      return false
    }
  })
}

/** Starts a peer on a free port, on the first core. Rejects with what it said if it does not come up. */
export function startPeer({ command, environment = {} }: Peer, mode: Mode = 'plain'): Promise<RunningServer> {
  const files = mode === 'tls' ? certificateFiles() : []
  return startServer((port) => [...command(mode), String(port), mode, ...files], {
    scheme: mode === 'tls' ? 'wss' : 'ws',
    environment,
  })
}
