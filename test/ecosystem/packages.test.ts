// The packages that speak the API of ws, with their own clients: each program runs on the ws that its package has, which
// proves the program, and then on millrace/ws.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ecosystem, ecosystemMissing } from '../support/ecosystem.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const skip = ecosystemMissing()

/** Each program by its name, with the package's name, and whether the package takes another engine by an option. */
const PROGRAMS: Readonly<Record<string, readonly [packages: string, option?: 'handed']>> = {
  aedes: ['aedes and mqtt', 'handed'],
  colyseus: ['@colyseus/ws-transport'],
  crossws: ['crossws', 'handed'],
  expressWs: ['express-ws'],
  fastify: ['@fastify/websocket, with injectWS'],
  graphqlWs: ['graphql-ws', 'handed'],
  hocuspocus: ['hocuspocus'],
  honoNodeServer: ['@hono/node-server 2', 'handed'],
  honoNodeWs: ['@hono/node-ws'],
  mercurius: ['mercurius'],
  nest: ['@nestjs/platform-ws'],
  primus: ['primus'],
  rpcWebsockets: ['rpc-websockets'],
  smaller: ['tinyws, koa-websocket, websocket-stream and @teamwork/websocket-json-stream', 'handed'],
  socketIo: ['socket.io', 'handed'],
  trpc: ['@trpc/server', 'handed'],
  webpackBundleAnalyzer: ['webpack-bundle-analyzer'],
  webpackDevServer: ['webpack-dev-server'],
  yWebsocket: ['@y/websocket-server', 'handed'],
}
/** These run once more with compression. */
const COMPRESSED = ['crossws', 'socketIo']

test('each program of the folder is run', () => {
  const programs = readdirSync(join(ecosystem, 'programs'))
    .map((name) => name.replace(/\.mjs$/, ''))
    .filter((name) => name !== 'support')
  assert.deepEqual(programs.toSorted(), Object.keys(PROGRAMS).toSorted())
})

describe('real packages', { concurrency: 3 }, () => {
  for (const [program, [packages, option]] of Object.entries(PROGRAMS)) {
    const engines = ['ws', 'millrace', ...(option === undefined ? [] : ['millrace, handed'])]
    for (const engine of engines) {
      for (const deflate of COMPRESSED.includes(program) ? ['0', '1'] : ['0']) {
        const name = `${packages} on ${engine}${deflate === '1' ? ', with compression' : ''}`
        test(name, { skip, timeout: 90_000 }, () => run(program, engine, deflate))
      }
    }
  }
})

/** Runs a program in a process of its own, and fails with what it complains about. */
async function run(program: string, engine: string, deflate: string): Promise<void> {
  const redirect = engine === 'millrace' ? ['--import', 'millrace/ws/register'] : []
  const child = spawn(process.execPath, [...redirect, join(ecosystem, 'programs', `${program}.mjs`)], {
    cwd: root,
    env: { ...process.env, ENGINE: engine, DEFLATE: deflate, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk
    })
  }
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (...ended) => resolve(ended))
  })
  assert.equal(status ?? signal, 0, output)
  assert.match(output, new RegExp(`^right on ${engine}$`, 'm'))
}
