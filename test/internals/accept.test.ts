// Accepting at the handle goes past everything that net.Server does for its connections. What it no longer does is ours:
// counting, closing, keeping alive, and living on when the system has no descriptor left.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createNetServer, type Server as NetServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { acceptHandles } from '../../src/internals/accept.js'
import type { StreamHandle } from '../../src/internals/node.js'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { describe, test } from '../support/privateApi.js'
import { serving } from '../support/serving.js'
import { delay, eventually, isKeptAlive, SocketClient } from '../support/socketClient.js'

const PROGRAM = fileURLToPath(new URL('../support/socketEchoServerProgram.js', import.meta.url))
const linux = process.platform === 'linux'

async function listening(): Promise<{ server: NetServer; port: number }> {
  const server = createNetServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}

/** The listening handle's own function, as Node calls it. */
function onconnection(server: NetServer): (status: number, handle?: StreamHandle) => unknown {
  const handle: unknown = Reflect.get(server, '_handle')
  const found: unknown = Reflect.get(Object(handle), 'onconnection')
  if (typeof found !== 'function') throw new Error('no onconnection')
  return (status, client) => Reflect.apply(found, handle, [status, client])
}

function countOf(server: NetServer): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  )
}

describe('taking over a listening server', () => {
  test('every connection is a handle, and none is in its books', async () => {
    const { server, port } = await listening()
    const handles: StreamHandle[] = []
    server.on('connection', () => assert.fail('a socket was made'))
    assert.equal(
      acceptHandles(
        server,
        (handle) => handles.push(handle),
        () => assert.fail('failed'),
      ),
      true,
    )
    const clients = await Promise.all([0, 1, 2].map(() => SocketClient.open(port)))
    await eventually(() => handles.length === 3, 'three are accepted')
    assert.equal(await countOf(server), 0)
    // net.Server calls back with peers open: so the one who took them must close them.
    await new Promise((resolve) => server.close(resolve))
    assert.equal(
      clients.some(({ over }) => over),
      false,
    )
    for (const handle of handles) handle.close()
    for (const client of clients) {
      await client.end()
      await client.destroy()
    }
  })

  test('is not possible before it listens, nor after it is closed', async () => {
    const nobody = [(): void => assert.fail('accepted'), (): void => assert.fail('failed')] as const
    assert.equal(acceptHandles(createNetServer(), ...nobody), false)
    const { server } = await listening()
    await new Promise((resolve) => server.close(resolve))
    assert.equal(acceptHandles(server, ...nobody), false)
  })

  test('an error is told, and the next connection is accepted', async () => {
    const { server, port } = await listening()
    const failures: number[] = []
    const handles: StreamHandle[] = []
    acceptHandles(
      server,
      (handle) => handles.push(handle),
      (status) => failures.push(status),
    )
    const accept = onconnection(server)
    for (const status of [-24, -23, -103]) accept(status)
    accept(0)
    assert.deepEqual(failures, [-24, -23, -103, 0])
    const client = await SocketClient.open(port)
    await eventually(() => handles.length === 1, 'accepted')
    handles[0]?.close()
    server.close()
    await client.end()
    await client.destroy()
  })
})

describe('the server', () => {
  test('keeps connections alive, in either lane', { skip: linux ? false : 'looks into /proc' }, async (t) => {
    const server = await serving(t, {})
    const port = server.address?.port ?? 0
    const text = upgradeRequest()
    for (const pieces of [[text], [text.slice(0, 7), text.slice(7)]]) {
      const client = await SocketClient.open(port)
      await client.writePieces(pieces.map((piece) => Buffer.from(piece)))
      await client.response()
      await delay(50)
      assert.equal(isKeptAlive(port, client.socket.localPort ?? 0), true)
      await client.destroy()
    }
  })
})

/** Starts the echo server as a process of its own that can open few descriptors. */
async function limited(descriptors: number): Promise<{ child: ChildProcess; port: number; lines: string[] }> {
  const script = `ulimit -n ${descriptors}; exec "$0" "$1"`
  const env = { PATH: process.env['PATH'] }
  const child = spawn('sh', ['-c', script, process.execPath, PROGRAM], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  child.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)))
  await eventually(() => lines.length > 0 || child.exitCode !== null, 'the port')
  const { port } = JSON.parse(lines[0] ?? '{}')
  return { child, port: Number(port), lines }
}

async function echoes(port: number): Promise<boolean> {
  const client = await SocketClient.open(port)
  try {
    client.write(upgradeRequest())
    client.write(masked(TEXT, 'alive'))
    await client.until(() => client.text.includes('alive') || client.over, 'an echo')
    return client.text.includes('alive')
  } finally {
    await client.destroy()
  }
}

test('a server without descriptors left lives on, and serves when there are some again', {
  skip: process.platform === 'win32' ? 'no ulimit' : false,
}, async (t) => {
  const { child, port, lines } = await limited(96)
  t.after(() => child.kill())
  assert.equal(await echoes(port), true)
  const clients: SocketClient[] = []
  for (let count = 0; count < 120; count++) {
    const client = await SocketClient.open(port).catch(() => undefined)
    if (client === undefined) continue
    client.write(upgradeRequest())
    clients.push(client)
  }
  await delay(300)
  const served = clients.filter((client) => client.text.startsWith('HTTP/1.1 101 ') && !client.over)
  assert.ok(served.length > 10 && served.length < 96, `${served.length} are served`)
  for (const client of served) client.write(masked(TEXT, 'still'))
  for (const client of served) await client.frames(1)
  await Promise.all(clients.map((client) => client.destroy()))
  let alive = false
  for (let tries = 0; tries < 50 && !alive; tries++) {
    alive = await echoes(port).catch(() => false)
    if (!alive) await delay(50)
  }
  assert.equal(alive, true)
  assert.equal(child.exitCode, null)
  child.stdin?.end()
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  const { warnings } = JSON.parse(lines.at(-1) ?? '{}')
  for (const warning of warnings) assert.match(warning, /could not be accepted/)
})
