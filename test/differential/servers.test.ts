// The server by itself: how it is made, what it knows, whom it tracks, and how it closes.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ServerOptions } from 'ws'
import { close, masked, TEXT } from '../support/frames.js'
import { same } from './same.js'

const ports = (address: unknown): number => (address as AddressInfo).port

for (const [name, options] of [
  ['nothing', {}],
  ['a port and noServer', { port: 0, noServer: true }],
  ['a port and a server', { port: 0, server: createServer() }],
  ['a server and noServer', { server: createServer(), noServer: true }],
] as const) {
  same(`a server of ${name} throws`, async (stage) => {
    stage.call('new', () => new stage.module.WebSocketServer(options as ServerOptions))
  })
}

same('a server without options throws', async (stage) => {
  stage.call('new', () => Reflect.construct(stage.module.WebSocketServer, []))
})

same('the class can not be called', async (stage) => {
  stage.call('call', () => Reflect.apply(stage.module.WebSocketServer, undefined, [{ noServer: true }]))
  stage.call('call', () => Reflect.apply(stage.module.WebSocket, undefined, [null, undefined, {}]))
})

same('the options, with their defaults', async (stage) => {
  const { WebSocketServer, WebSocket } = stage.module
  const { options } = new WebSocketServer({ noServer: true, path: '/x' })
  stage.note('options', { ...options, WebSocket: options.WebSocket === WebSocket })
  stage.note('compression', new WebSocketServer({ noServer: true, perMessageDeflate: true }).options.perMessageDeflate)
})

same('what a server is before anybody comes', async (stage) => {
  const wss = new stage.module.WebSocketServer({ noServer: true })
  stage.note('clients', wss.clients)
  stage.note('without tracking', new stage.module.WebSocketServer({ noServer: true, clientTracking: false }).clients)
  stage.call('address', () => wss.address())
  const http = createServer()
  const attached = new stage.module.WebSocketServer({ server: http })
  stage.note('not listening', attached.address())
  stage.note('listeners', ...['listening', 'error', 'upgrade', 'connection'].map((event) => http.listenerCount(event)))
})

same('listening, and its address', async (stage) => {
  const wss = new stage.module.WebSocketServer({ port: 0, host: '127.0.0.1' }, () => stage.note('callback'))
  wss.on('listening', () => stage.note('listening'))
  await once(wss, 'listening')
  const { address, family } = wss.address() as AddressInfo
  stage.note('address', address, family)
  await new Promise<void>((resolve) => wss.close(() => resolve()))
  stage.note('after', wss.address())
})

same("the http server's events are passed on", async (stage) => {
  const { http, wss } = await stage.serve()
  wss.on('error', (error) => stage.note('error', error))
  wss.on('listening', () => stage.note('listening'))
  stage.note('emitted', http.emit('error', new Error('mine')), http.emit('listening'))
})

same('a port that is taken is an error of the server', async (stage) => {
  const { port } = await stage.serve()
  const wss = new stage.module.WebSocketServer({ port, host: '127.0.0.1' })
  const [error] = await once(wss, 'error')
  stage.note('error', error.code, error.syscall)
})

same('clients are tracked from before the callback to before later listeners of close', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => {
    stage.note('opened', wss.clients.has(ws), wss.clients.size)
    ws.on('close', () => stage.note('close', wss.clients.has(ws), wss.clients.size))
  })
  const peer = await stage.connect(port)
  await peer.response()
  await stage.drop(peer)
})

same('clientTracking: false tracks nobody', async (stage) => {
  const { port, wss } = await stage.serve({ clientTracking: false })
  wss.on('connection', (ws) => {
    stage.note('opened', wss.clients)
    ws.on('close', () => stage.note('close'))
  })
  const peer = await stage.connect(port)
  await peer.response()
  wss.close(() => stage.note('closed'))
  await stage.noted('closed')
  stage.note('the connection is there', peer.over)
  await stage.drop(peer)
})

same('close(cb) of a server without clients', async (stage) => {
  const { wss, http } = await stage.serve()
  wss.on('close', (...values: unknown[]) => stage.note('close', ...values))
  stage.call('close', () => wss.close((error) => stage.note('called back', error)))
  stage.turns('turn')
  stage.note('listeners', http.listenerCount('upgrade'), http.listening)
  await stage.noted('called back', 'turn: immediate')
})

same('close(cb) waits for the clients, and ends none of them', async (stage) => {
  const { peer, wss, ws } = await stage.pair()
  wss.on('close', () => stage.note('server close'))
  wss.close((error) => stage.note('called back', error))
  await stage.quiet()
  stage.note('state', ws.readyState)
  ws.send('still here')
  await stage.frames(peer, 1)
  peer.write(masked(TEXT, 'here too'))
  await stage.noted('message')
  peer.write(close(1000))
  await stage.finish(peer)
  await stage.noted('called back')
})

same('close(cb) a second and a third time', async (stage) => {
  const { wss } = await stage.serve()
  wss.close((error) => stage.note('first', error))
  wss.close((error) => stage.note('second', error))
  await stage.noted('first', 'second')
  wss.close((error) => stage.note('third', error))
  await stage.noted('third')
  stage.call('without a callback', () => wss.close())
  await stage.quiet(5)
})

same('close(cb) calls back after removeAllListeners, too', async (stage) => {
  const { peer, wss } = await stage.pair()
  wss.removeAllListeners()
  wss.close(() => stage.note('called back'))
  await stage.drop(peer)
  await stage.noted('called back')
})

same('close(cb) of a server with a port of its own: nobody new, and it waits', async (stage) => {
  const wss = new stage.module.WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(wss, 'listening')
  const port = ports(wss.address())
  wss.on('connection', (ws) => stage.watch(ws))
  const peer = await stage.connect(port)
  await peer.response()
  wss.close((error) => stage.note('called back', error))
  await stage.quiet()
  stage.note('waits')
  const refused = await stage.dial(port).then(
    () => 'connected',
    () => 'refused',
  )
  stage.note('another', refused)
  peer.write(close(1000))
  await stage.finish(peer)
  await stage.noted('called back')
})

same('close() of a server does not close the http server that it was given', async (stage) => {
  const { http, wss, port } = await stage.serve()
  http.on('request', (_, response) => response.end('here'))
  wss.close()
  await once(wss, 'close')
  const peer = await stage.dial(port)
  peer.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await peer.end()
  stage.note('status', (await peer.response()).status, http.listening)
})

same('an upgrade for which nobody listens any more is left to node:http', async (stage) => {
  const { wss, port, http } = await stage.serve()
  http.on('request', (_, response) => response.end('as a request'))
  wss.close()
  const peer = await stage.connect(port, ['Connection: Upgrade'])
  await peer.response()
  stage.note('status', (await peer.response()).status)
})

same('the connections of a server in the turn of each other', async (stage) => {
  const { port, wss } = await stage.serve()
  let count = 0
  wss.on('connection', (ws) => {
    count++
    ws.on('message', (data) => {
      for (const client of wss.clients) if (client !== ws && client.readyState === client.OPEN) client.send(data)
    })
  })
  const peers = [await stage.connect(port), await stage.connect(port), await stage.connect(port)]
  for (const peer of peers) await peer.response()
  await stage.until(() => count === 3, 'all connections')
  peers[0]?.write(masked(TEXT, 'to all others'))
  for (const peer of peers.slice(1)) await stage.frames(peer, 1)
  stage.note('to itself', peers[0]?.receivedFrames.length)
})

same('the module: names, constants and self-references', async (stage) => {
  const { default: WebSocket, ...names } = stage.module as unknown as Record<string, unknown> & { default: object }
  const constants = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']
  stage.note(
    'names',
    ['WebSocket', 'WebSocketServer', 'createWebSocketStream', 'Receiver', 'Sender'].filter((name) => name in names),
  )
  for (const name of ['WebSocket', 'Server', 'WebSocketServer', 'createWebSocketStream', 'Receiver', 'Sender']) {
    const own = Reflect.get(WebSocket, name) as unknown
    stage.note(name, typeof own, own === names[name === 'Server' ? 'WebSocketServer' : name])
  }
  for (const place of [WebSocket, Reflect.get(WebSocket, 'prototype') as object]) {
    for (const name of constants) {
      const { value, enumerable, writable } = Object.getOwnPropertyDescriptor(place, name) ?? {}
      stage.note(name, value, enumerable, writable)
    }
  }
  const prototype = Reflect.get(WebSocket, 'prototype') as object
  stage.note('enumerable', Object.keys(prototype).sort())
  stage.note('arity', Reflect.get(WebSocket, 'name'), Reflect.get(Reflect.get(prototype, 'send') as object, 'length'))
})
