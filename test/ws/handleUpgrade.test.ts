// handleUpgrade is how most packages use a server: on any stream, after any wait, by any application.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { ServerOptions, WebSocketServer } from 'ws'
import { duplexPair } from '../support/duplexPair.js'
import { type Engine, end, head, KEY, portOf, same, thrownBy } from './serverEngines.js'

/** A masked text frame of up to 125 bytes, its key all zeros. */
function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 + text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

/** What a request has that no HTTP server has made. */
function bareRequest(): IncomingMessage {
  const headers = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': KEY, 'sec-websocket-version': 13 }
  return { method: 'GET', url: '/', headers } as unknown as IncomingMessage
}

interface Setting {
  readonly server: WebSocketServer
  readonly client: Socket
  readonly said: unknown[]
  upgrade: { request: IncomingMessage; socket: Duplex; first: Buffer }
}

/** An upgrade request with frames behind it has come to an HTTP server, and nothing has been done about it. */
async function arrived({ Server }: Engine, behind: Buffer, options: ServerOptions = {}): Promise<Setting> {
  const http = createServer()
  const server = new Server({ noServer: true, ...options })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const client = connect(await portOf(http), '127.0.0.1')
  client.on('error', () => undefined)
  client.write(Buffer.concat([Buffer.from(head()), behind]))
  const [request, socket, first] = await once(http, 'upgrade')
  http.close()
  return { server, client, said: [], upgrade: { request, socket, first } }
}

describe('frames that come with the request or before the upgrade', () => {
  for (const [name, wait] of [
    ['at once', undefined],
    ['in the next turn', turn],
    ['later', () => sleep(20)],
  ] as const) {
    same(`are delivered from the next tick on, where it is upgraded ${name}`, async (engine) => {
      const { server, client, said, upgrade } = await arrived(engine, frame('with'))
      if (wait !== undefined) {
        client.write(frame('before'))
        await wait()
      }
      const { request, socket, first } = upgrade
      server.handleUpgrade(request, socket, first, (ws) => {
        said.push('called')
        process.nextTick(() => said.push('tick'))
        queueMicrotask(() => {
          said.push('microtask')
          ws.on('message', (data, binary) => said.push(String(data), binary))
        })
      })
      said.push('returned')
      client.write(frame('after'))
      while (!said.includes('after')) await turn()
      await end(server)
      return said
    })
  }
})

describe('the callback', () => {
  same('comes before handleUpgrade returns, with the same request, and the socket is open', async (engine) => {
    const { server, said, upgrade } = await arrived(engine, Buffer.alloc(0))
    const { request, socket, first } = upgrade
    server.handleUpgrade(request, socket, first, function (this: unknown, ws, handed, ...more) {
      const own = Reflect.get(ws, '_socket')
      said.push(handed === request, ws.readyState, more, own === socket, own === request.socket, this)
      said.push(
        ws.protocol,
        ws.extensions,
        ws.bufferedAmount,
        ws.isPaused,
        ws.url,
        ws instanceof (server.options.WebSocket ?? Object),
      )
    })
    said.push('returned')
    await end(server)
    return said
  })

  same('may throw, and handleUpgrade throws that', async (engine) => {
    const { server, said, upgrade } = await arrived(engine, Buffer.alloc(0))
    const { request, socket, first } = upgrade
    const call = () =>
      server.handleUpgrade(request, socket, first, () => {
        throw new Error('mine')
      })
    said.push(thrownBy(call), server.clients.size)
    await end(server)
    return said
  })
})

describe('a second call for one socket', () => {
  same('throws', async (engine) => {
    const { server, said, upgrade } = await arrived(engine, Buffer.alloc(0))
    const { request, socket, first } = upgrade
    server.handleUpgrade(request, socket, first, () => said.push('first'))
    for (const other of [server, new engine.Server({ noServer: true })]) {
      const call = () => other.handleUpgrade(request, socket, first, () => said.push('second'))
      said.push(thrownBy(call))
    }
    await end(server)
    return said
  })
})

describe('one HTTP server with two that listen to it', () => {
  same('is told by an error that both wanted the same request', async ({ Server }) => {
    const http = createServer()
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const client = connect(await portOf(http), '127.0.0.1')
    client.on('error', () => undefined).write(head())
    const upgrade = await once(http, 'upgrade')
    const [first, second] = [new Server({ server: http }), new Server({ server: http })]
    const said = [thrownBy(() => http.emit('upgrade', ...upgrade)), first.clients.size, second.clients.size]
    await Promise.all([end(first), end(second)])
    http.close()
    return said
  })
})

describe('a socket that has gone', () => {
  same('is not upgraded, if it was destroyed', async (engine) => {
    const { server, client, said, upgrade } = await arrived(engine, Buffer.alloc(0))
    const { request, socket, first } = upgrade
    socket.destroy()
    server.handleUpgrade(request, socket, first, () => said.push('upgraded'))
    await once(client, 'close')
    said.push(socket.destroyed, server.clients.size)
    return said
  })

  same('is not upgraded, if the client has ended it', async (engine) => {
    const { server, client, said, upgrade } = await arrived(engine, Buffer.alloc(0))
    const { request, socket, first } = upgrade
    client.end()
    socket.resume()
    await once(socket, 'end')
    server.handleUpgrade(request, socket, first, () => said.push('upgraded'))
    await once(client, 'close')
    said.push(socket.destroyed, server.clients.size)
    return said
  })

  same('is not upgraded late, if it went while verifyClient was asked', async (engine) => {
    const verifyClient = (_info: unknown, callback: (yes: boolean) => void) => void setTimeout(callback, 30, true)
    const { server, client, said, upgrade } = await arrived(engine, Buffer.alloc(0), { verifyClient })
    const { request, socket, first } = upgrade
    server.handleUpgrade(request, socket, first, () => said.push('upgraded'))
    client.resetAndDestroy()
    await sleep(60)
    said.push(socket.destroyed, server.clients.size)
    return said
  })
})

describe('any Duplex', () => {
  same('is upgraded, and says and hears the same', async ({ Server }) => {
    const server = new Server({ noServer: true })
    const [near, far] = duplexPair()
    const said: unknown[] = []
    server.handleUpgrade(bareRequest(), near, Buffer.alloc(0), (ws) => {
      ws.on('message', (data) => ws.send(String(data)))
      ws.on('close', (code, reason) => said.push(code, String(reason)))
    })
    far.write(frame('hello'))
    let heard = ''
    far.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
    })
    while (!heard.endsWith('hello')) await turn()
    said.push(heard)
    far.end()
    while (said.length < 3) await turn()
    return said
  })

  for (const method of ['write', 'once', 'on'] as const) {
    same(`throws what its method ${method} throws`, async ({ Server }) => {
      const server = new Server({ noServer: true })
      const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
      const said: unknown[] = []
      stream[method] = () => {
        throw new Error(`no ${method}`)
      }
      const bad = bareRequest()
      if (method === 'once') bad.headers['sec-websocket-key'] = ''
      const call = () => server.handleUpgrade(bad, stream, Buffer.alloc(0), () => said.push('upgraded'))
      if (method === 'write') {
        // When the response leaves, is not the same; that the connection ends, is.
        try {
          call()
        } catch {}
        await turn()
        await turn()
        return [server.clients.size <= 1]
      }
      said.push(thrownBy(call))
      return said
    })
  }
})
