// A service manager opens the socket, and starts the server when it likes: connections wait in the kernel meanwhile, and
// none is refused while the server is restarted.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { createServer as createNetServer, type ListenOptions, type Server } from 'node:net'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createServer } from '../../src/index.js'
import { freePath } from '../support/places.js'

const PROGRAM = fileURLToPath(new URL('./inheritedProgram.js', import.meta.url))

async function listening(where: ListenOptions): Promise<Server> {
  const server = createNetServer()
  server.listen(where)
  await once(server, 'listening')
  return server
}

/** Starts the program with a listening socket as its descriptor 3. */
async function start(server: Server, ...args: string[]): Promise<{ child: ChildProcess; addresses: unknown[] }> {
  const handle: unknown = Reflect.get(server, '_handle')
  const stdio = ['ignore', 'pipe', 'inherit', handle]
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], { stdio } as object)
  if (child.stdout === null) throw new Error('no output')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, addresses: JSON.parse(line) }
}

function ask(where: object): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ ...where, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve(Number(text)))
    }).on('error', reject)
  })
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

describe('listen({ fd })', { skip: process.platform === 'win32' }, () => {
  test('takes a TCP socket, and knows its address', async () => {
    const server = await listening({ port: 0, host: '127.0.0.1' })
    const address = server.address()
    const { child, addresses } = await start(server)
    server.close()
    assert.deepEqual(addresses, [address])
    assert.equal(await ask({ host: '127.0.0.1', port: Reflect.get(Object(address), 'port') }), child.pid)
    await end(child)
  })

  test('takes a Unix socket', async () => {
    const path = freePath()
    const server = await listening({ path: `${path}.first` })
    const { child } = await start(server)
    renameSync(`${path}.first`, path) // closing removes the path
    server.close()
    assert.equal(await ask({ socketPath: path }), child.pid)
    await end(child)
    rmSync(path)
  })

  test('goes with acceptors, over a reload', async () => {
    const server = await listening({ port: 0, host: '127.0.0.1' })
    const where = { host: '127.0.0.1', port: Reflect.get(Object(server.address()), 'port') }
    const { child } = await start(server, '1')
    server.close()
    const first = await ask(where)
    assert.notEqual(first, child.pid)
    child.kill('SIGHUP')
    let next = first
    for (let attempt = 0; attempt < 100 && next === first; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      next = await ask(where) // is never refused
    }
    assert.notEqual(next, first)
    await end(child)
  })

  test('throws for what is no descriptor, and for another place besides; rejects for one that is no socket', async (t) => {
    const server = createServer()
    t.after(() => server.close())
    for (const fd of [-1, 1.5, Number.NaN]) await assert.rejects(server.listen({ fd }), RangeError)
    await assert.rejects(server.listen({ fd: 3, port: 80 }), TypeError)
    await assert.rejects(server.listen({ fd: 3, path: '/tmp/x' }), TypeError)
    await assert.rejects(server.listen({ fd: 9999 }), { syscall: 'listen' })
    await assert.rejects(server.listen({ fd: 0 }), { code: /^E/ })
  })
})
