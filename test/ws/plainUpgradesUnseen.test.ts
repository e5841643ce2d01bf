// What an application may look at, or change, on its own server of node:http, before and after a connection has come: a plain
// upgrade request passes by the HTTP parser only where none of it would show.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type ServerOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ACCEPTED, ask, type Engine, end, head, portOf, same } from './serverEngines.js'

async function listening({ Server }: Engine, options: ServerOptions = {}) {
  const http = createServer(options, (_request, response) => response.end('web'))
  const server = new Server({ server: http })
  http.listen(0, '127.0.0.1')
  const port = await portOf(http)
  server.once('close', () => http.close())
  return { server, port, http }
}

/** A client that has connected and says nothing yet. */
async function silent(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket.resume(), 'connect')
  await sleep(20)
  return socket
}

const count = (http: Server): Promise<number> =>
  new Promise((resolve) => http.getConnections((_error, found) => resolve(found)))

describe('a connection that has said nothing', () => {
  same('is counted, and ends with the others', async (engine) => {
    const { server, port, http } = await listening(engine)
    const said: unknown[] = [await count(http)]
    const socket = await silent(port)
    said.push(await count(http))
    const closed = once(socket, 'close')
    http.closeAllConnections()
    await closed
    await sleep(20)
    said.push(await count(http), Object.keys(http).includes('closeAllConnections'))
    await end(server)
    return said
  })

  same('is idle as node:http has it', async (engine) => {
    const { server, port, http } = await listening(engine)
    const socket = await silent(port)
    http.closeIdleConnections()
    await sleep(50)
    const said = [socket.closed, await count(http)]
    socket.destroy()
    await end(server)
    return said
  })

  for (const wait of [0, 700]) {
    same(`and is reset after ${wait} ms, is told of, and is no connection any more`, async (engine) => {
      const { server, port, http } = await listening(engine)
      const said: unknown[] = []
      http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        said.push([error.code, error.syscall, socket.writable])
        socket.destroy()
      })
      const socket = await silent(port)
      await sleep(wait)
      socket.resetAndDestroy()
      await sleep(50)
      said.push(await count(http))
      await end(server)
      return said
    })
  }

  same('takes a place of those that a limit leaves', async (engine) => {
    const { server, port, http } = await listening(engine)
    const first = await silent(port)
    http.maxConnections = 1
    const second = await silent(port)
    await sleep(30)
    const said = [first.closed, second.closed]
    first.destroy()
    second.destroy()
    await end(server)
    return said
  })

  same('has the time that a server gives for headers', async (engine) => {
    const times = { headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 20 }
    const { server, port } = await listening(engine, times)
    const socket = connect(port, '127.0.0.1')
    const from = Date.now()
    const [answer] = await once(socket, 'data')
    assert.ok(Date.now() - from < 450, 'not after a wait elsewhere')
    await end(server)
    return String(answer)
  })
})

/** What is done to a server that listens already. */
const CHANGES: Readonly<Record<string, (http: Server, said: unknown[]) => void>> = {
  'no connections': (http) => Object.assign(http, { maxConnections: 0 }),
  'no upgrades': (http) => Object.assign(http, { shouldUpgradeCallback: () => false }),
  'an emit of its own': (http, said) => {
    const { emit } = http
    http.emit = (event: string, ...values: unknown[]) => {
      said.push(event)
      return Reflect.apply(emit, http, [event, ...values])
    }
  },
}

describe('a server that listens, and then has', () => {
  for (const [name, change] of Object.entries(CHANGES)) {
    same(name, async (engine) => {
      const { server, port, http } = await listening(engine)
      const said: unknown[] = []
      change(http, said)
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      socket.on('data', (chunk) => said.push(String(chunk).slice(0, 12)))
      socket.write(head())
      await Promise.race([once(socket, 'close'), sleep(100)])
      said.push(socket.destroyed)
      socket.destroy()
      await end(server)
      return said
    })
  }
})

same('whoever decides on upgrades while a connection is silent is asked', async (engine) => {
  const { server, port, http } = await listening(engine)
  const socket = await silent(port)
  Object.assign(http, { shouldUpgradeCallback: () => false })
  socket.write(head())
  const [answer] = await once(socket, 'data')
  socket.destroy()
  await end(server)
  return String(answer).slice(0, 12)
})

same('the parser of the socket of an upgrade is none', async (engine) => {
  const { server, port, http } = await listening(engine)
  const said: unknown[] = []
  http.prependListener('upgrade', (_request, socket) => said.push(Reflect.get(socket, 'parser')))
  said.push(await ask(port, head(), ACCEPTED))
  await end(server)
  return said
})

const LONG = `
const { createServer } = await import('node:http')
const { connect } = await import('node:net')
const http = createServer()
new WebSocketServer({ server: http })
http.listen(0, '127.0.0.1', () => {
  const socket = connect(http.address().port, '127.0.0.1')
  socket.write(HEAD)
  socket.once('data', (chunk) => { console.log(String(chunk).slice(0, 12)); process.exit() })
})`

test('a process with a size of headers of its own has that for upgrades, too', async () => {
  const url = JSON.stringify(new URL('../../src/ws/webSocketServer.js', import.meta.url).href)
  const bytes = JSON.stringify(head({ 'X-Long': 'a'.repeat(1000) }))
  const program = `const { WebSocketServer } = await import(${url})\n${LONG.replace('HEAD', () => bytes)}`
  const values = ['--max-http-header-size=300', '--input-type=module', '-e', program]
  const { stdout } = await promisify(execFile)(process.execPath, values)
  assert.equal(stdout, 'HTTP/1.1 431\n')
})

same('the context that a listener of upgrades enters is not that of its socket', async (engine) => {
  const { server, port, http } = await listening(engine)
  const context = new AsyncLocalStorage<string>()
  const said: unknown[] = []
  http.prependListener('upgrade', () => context.enterWith('entered'))
  server.on('connection', (socket) => {
    said.push(context.getStore())
    socket.on('message', () => said.push(context.getStore()))
  })
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  socket.write(head())
  await once(socket, 'data')
  socket.write(Buffer.from([0x81, 0x80, 0, 0, 0, 0]))
  await sleep(50)
  socket.destroy()
  await end(server)
  return said
})
