// Wrappers, on which the methods of what they wrap are called: crossws hands out a Proxy of each WebSocket, and others make
// objects whose prototype one is.
import { Buffer } from 'node:buffer'
import type { WebSocket } from 'ws'
import { close, masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

const WRAPPERS: Readonly<Record<string, <Wrapped extends object>(wrapped: Wrapped) => Wrapped>> = {
  'a Proxy': (wrapped) => new Proxy(wrapped, {}),
  'a Proxy whose getters are those of its target': (wrapped) =>
    new Proxy(wrapped, { get: (target, name) => Reflect.get(target, name) }),
  'a Proxy of a Proxy': (wrapped) => new Proxy(new Proxy(wrapped, {}), {}),
}

function ask(stage: Stage, ws: WebSocket): void {
  stage.note('facts', ws.readyState, ws.protocol, ws.extensions, ws.url, ws.isPaused, ws.bufferedAmount, ws.binaryType)
  stage.note('inside', ...['_socket', '_sender', '_receiver'].map((name) => typeof Reflect.get(ws, name)))
}

for (const [how, wrap] of Object.entries(WRAPPERS)) {
  same(`the methods of a WebSocket on ${how}`, async (stage) => {
    const { ws, peer } = await stage.pair()
    const wrapped = wrap(ws)
    ask(stage, wrapped)
    wrapped.onmessage = ({ type, data }) => stage.note('attribute', type, data)
    wrapped.addEventListener('message', (event) => {
      const { type, data } = wrap(event)
      stage.note('listener', type, data, event.target === ws)
    })
    stage.call('send', () => wrapped.send('text', { compress: true }, () => stage.note('sent')))
    stage.call('ping', () => wrapped.ping('one'))
    stage.call('pong', () => wrapped.pong('two'))
    stage.call('a ping that is too long', () => wrapped.ping('x'.repeat(126)))
    stage.call('pause', () => wrapped.pause())
    stage.note('paused', wrapped.isPaused)
    stage.call('resume', () => wrapped.resume())
    wrapped.binaryType = 'arraybuffer'
    stage.note('binaryType', wrapped.binaryType)
    peer.write(Buffer.concat([masked(TEXT, 'hello'), masked(PING, 'x')]))
    await stage.noted('listener', 'ping', 'sent')
    stage.call('close', () => wrapped.close(1001, 'over'))
    ask(stage, wrapped)
    stage.call('send', () => wrapped.send('late', (error) => stage.note('not sent', error)))
    await peer.frames(5)
    peer.write(close(1001))
    await stage.finish(peer)
    ask(stage, wrapped)
  })

  same(`a WebSocket is terminated by ${how}`, async (stage) => {
    const { ws, peer } = await stage.pair()
    wrap(ws).terminate()
    await stage.finish(peer)
  })

  same(`the methods of a server on ${how}`, async (stage) => {
    const taken: (() => void)[] = []
    const { wss, port } = await stage.upgrading({ path: '/' }, (server, request, socket, head) => {
      const wrapped = wrap(server)
      stage.note('handles', wrapped.shouldHandle(request))
      wrapped.handleUpgrade(request, socket, head, (ws) => {
        stage.watch(ws)
        stage.note('clients', wrapped.clients.size, wrapped.clients.has(ws))
        taken.push(() => wrapped.close(() => stage.note('closed')))
        ws.send('welcome')
      })
    })
    const peer = await stage.connect(port)
    await peer.frames(1)
    for (const shut of taken) shut()
    wss.close((error) => stage.note('closed again', error))
    peer.write(close(1000))
    await stage.finish(peer)
    await stage.noted('closed', 'closed again')
  })

  same(`the stream of a WebSocket is wrapped in ${how}, and so is the WebSocket`, async (stage) => {
    const { ws, peer } = await stage.pair()
    const stream = stage.module.createWebSocketStream(wrap(ws))
    const wrapped = wrap(stream)
    for (const event of ['data', 'finish', 'end', 'error']) {
      wrapped.on(event, (...values: unknown[]) => stage.note(`stream ${event}`, ...values))
    }
    wrapped.write('one')
    peer.write(masked(TEXT, 'hello'))
    await peer.frames(1)
    await stage.noted('stream data')
    wrapped.end('two')
    await peer.frames(3)
    peer.write(close(1000))
    await stage.finish(peer)
  })
}

// What ws keeps of a state that changes, it keeps on the object that it is called on: an heir has its own.
same('what is sent by an object whose prototype a WebSocket is', async (stage) => {
  const { ws, peer } = await stage.pair()
  const heir: WebSocket = Object.create(ws)
  ask(stage, heir)
  stage.call('send', () => heir.send('text', () => stage.note('sent')))
  stage.call('ping', () => heir.ping('one'))
  await stage.frames(peer, 2)
  await stage.noted('sent')
  peer.write(close(1000))
  await stage.finish(peer)
  ask(stage, heir)
})

same('a client is closed by a Proxy before and after it is open', async (stage) => {
  const { wss, port } = await stage.serve()
  wss.on('connection', (ws) => ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })))
  const early = stage.watch(new stage.module.WebSocket(`ws://127.0.0.1:${port}`), 'early ')
  new Proxy(early, {}).close()
  await stage.noted('early close')
  const client = stage.watch(new stage.module.WebSocket(`ws://127.0.0.1:${port}`))
  const wrapped = new Proxy(client, {})
  stage.call('send before it is open', () => wrapped.send('early'))
  await stage.noted('open')
  wrapped.send('text')
  await stage.noted('message')
  wrapped.close(4000, 'done')
  await stage.noted('close')
})

const REQUEST_WRAPPERS: typeof WRAPPERS = { ...WRAPPERS, 'an heir': (wrapped) => Object.create(wrapped) }
for (const [how, wrap] of Object.entries(REQUEST_WRAPPERS)) {
  same(`the request and the socket of a connection that nobody has looked at, by ${how}`, async (stage) => {
    const { wss, port } = await stage.serve()
    wss.on('connection', (ws, request) => {
      stage.watch(ws)
      const wrapped = wrap(request)
      stage.note('headers', wrapped.headers.host, wrapped.rawHeaders.length)
      stage.note('request', wrapped.url, wrapped.method, wrapped.httpVersion, wrapped.complete, 'trailers' in wrapped)
      stage.note('socket', wrap(wrapped.socket).remoteAddress, wrapped.socket === Reflect.get(ws, '_socket'))
      wrapped.url = '/changed'
      stage.note('changed', wrapped.url)
      ws.close()
    })
    const peer = await stage.connect(port)
    await peer.frames(1)
    peer.write(close(1000))
    await stage.finish(peer)
  })
}
