// The options of a client of ws, each tried with both classes: the server and the client must see the same.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import * as ws from 'ws'
import * as millrace from '../../src/ws.js'

const classes = [ws.WebSocket, millrace.WebSocket as unknown as typeof ws.WebSocket]

/** What the server has seen of the request, and how the client has ended. */
async function seen(t: TestContext, WebSocket: typeof ws.WebSocket, options: ws.ClientOptions): Promise<unknown[]> {
  const server = new ws.WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  t.after(() => server.close())
  const told: unknown[] = []
  server.on('connection', (socket, { url, headers }) => {
    const { authorization, origin, 'x-a': own } = headers
    const { 'sec-websocket-version': version, 'sec-websocket-origin': oldOrigin } = headers
    told.push(url, authorization, origin, oldOrigin, own, version, headers['sec-websocket-extensions'])
    socket.on('message', (data, binary) => socket.send(data, { binary }))
  })
  const { port } = server.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}/path?query`, {
    ...options,
    ...(options.createConnection && { createConnection: () => connect(port, '127.0.0.1') }),
  })
  client.on('open', () => client.send('x'.repeat(20)))
  client.on('message', (data) => {
    told.push(String(data))
    client.close(3001, 'enough')
  })
  client.on('error', ({ name, message }) => told.push(name, message))
  await new Promise<void>((resolve) => {
    client.on('close', (code, reason) => {
      told.push(code, String(reason))
      resolve()
    })
  })
  return told
}

const finishRequest: ws.ClientOptions['finishRequest'] = (request) => {
  request.setHeader('x-a', 'late')
  request.end()
}

for (const [name, options] of Object.entries<ws.ClientOptions & { readonly auth?: string }>({
  auth: { auth: 'ada:secret' },
  'headers and origin': { headers: { 'x-a': '1' }, origin: 'http://here.test' },
  'protocolVersion 8': { protocolVersion: 8, origin: 'http://here.test' },
  finishRequest: { finishRequest },
  generateMask: { generateMask: (mask) => void mask.fill(7) },
  'no perMessageDeflate': { perMessageDeflate: false },
  perMessageDeflate: { perMessageDeflate: { serverMaxWindowBits: 10, clientNoContextTakeover: true } },
  maxPayload: { maxPayload: 10 },
  createConnection: { createConnection: connect },
  agent: { agent: new Agent() },
  'no autoPong': { autoPong: false, skipUTF8Validation: true, allowSynchronousEvents: false },
})) {
  test(name, async (t) => {
    const [expected, found] = await Promise.all(classes.map((WebSocket) => seen(t, WebSocket, options)))
    assert.deepEqual(found, expected)
  })
}
