// What is accepted: the answer, what the callbacks are told, and what a connection is from its first turn on.
import { Buffer } from 'node:buffer'
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'
import { requestOf, type Stage } from './stage.js'

/** A server that upgrades each request at once, and a peer that has been answered. */
async function opened(stage: Stage, headers: readonly string[] = [], options = {}): Promise<void> {
  const { port } = await stage.upgrading(options, (wss, request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (...values) => {
      const [ws] = values
      stage.note('opened', ...values, ws.protocol, ws.extensions, ws.readyState, ws.binaryType, ws.isPaused, ws.url)
    })
    stage.note('returned')
  })
  const peer = await stage.connect(port, headers)
  await peer.response()
  stage.wire(peer)
}

same('the callback is called before handleUpgrade returns', (stage) => opened(stage))
same('the first subprotocol that is offered is taken', (stage) => opened(stage, ['Sec-WebSocket-Protocol: b, a']))
same('no subprotocol is taken that is not offered', (stage) => opened(stage, [], { handleProtocols: () => 'x' }))

same('keep-alive probes are left to the program: what an upgrade sets on the socket', async (stage) => {
  const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
    for (const name of ['setKeepAlive', 'setTimeout'] as const) {
      const set = Reflect.get(socket, name)
      Reflect.set(socket, name, (...values: readonly unknown[]) => {
        stage.note(name, values[0])
        return Reflect.apply(set, socket, values)
      })
    }
    wss.handleUpgrade(request, socket, head, () => stage.note('opened'))
  })
  const peer = await stage.connect(port)
  await peer.response()
})

for (const chosen of ['a', 'of its own', '', false, undefined, null]) {
  same(`handleProtocols returns ${JSON.stringify(chosen)}`, (stage) =>
    opened(stage, ['Sec-WebSocket-Protocol: b, a'], {
      handleProtocols: (...values: readonly unknown[]) => {
        stage.note('handleProtocols', ...values)
        return chosen
      },
    }),
  )
}

same('the options are the ones of the moment', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => stage.note('connection', ws.protocol))
  const before = await stage.connect(port, ['Sec-WebSocket-Protocol: b, a'])
  await before.response()
  wss.options.handleProtocols = () => 'a'
  const after = await stage.connect(port, ['Sec-WebSocket-Protocol: b, a'])
  await after.response()
  wss.options.path = '/there'
  const refused = await stage.connect(port)
  await refused.end()
  for (const peer of [before, after, refused]) stage.wire(peer)
})

same("the listeners of 'headers' read and change the lines of the answer", async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('headers', (lines, request) => {
    stage.note('headers', lines, request)
    lines.push('Set-Cookie: a=1')
    lines.splice(1, 0, 'X-First: ü')
  })
  wss.on('connection', () => stage.note('connection'))
  const peer = await stage.connect(port)
  await peer.response()
  stage.wire(peer)
})

same('the request is the one of the http server', async (stage) => {
  const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (ws, other) => {
      const inner = Reflect.get(ws, '_socket') as typeof request.socket
      stage.note('same', other === request, inner === socket, inner === request.socket, inner.remoteAddress)
    })
  })
  const peer = await stage.connect(port, ['X-Some: thing'])
  await peer.response()
})

for (const [name, first] of [
  ['with the request', true],
  ['behind the request', false],
] as const) {
  same(`a frame that comes ${name} is told to listeners that are added in a microtask`, async (stage) => {
    const { port } = await stage.upgrading({}, async (wss, request, socket, head) => {
      await undefined
      wss.handleUpgrade(request, socket, head, (ws) => {
        stage.note('opened')
        stage.turns('opened')
        Promise.resolve().then(() => {
          ws.on('message', (...values) => stage.note('message', ...values))
        })
      })
      stage.note('returned')
    })
    const peer = await stage.connect(port, [], first ? masked(TEXT, 'early') : Buffer.alloc(0))
    if (!first) peer.write(masked(TEXT, 'early'))
    await stage.noted('message', 'opened: immediate')
    // Whether bytes are there in the first tick or in a later turn is for the system to say.
    if (!first) stage.log.splice(2)
  })
}

same('frames that come before an upgrade after an await are told in their order', async (stage) => {
  const { port } = await stage.upgrading({}, async (wss, request, socket, head) => {
    await delay(20)
    wss.handleUpgrade(request, socket, head, (ws) => {
      stage.watch(ws)
      stage.note('opened')
    })
  })
  const peer = await stage.connect(port, [], Buffer.concat([masked(TEXT, 'one'), masked(PING, 'two')]))
  peer.write(masked(TEXT, 'three'))
  await delay(5)
  peer.write(masked(TEXT, 'four'))
  await stage.noted('message', 'message', 'message', 'ping')
  await stage.frames(peer, 1)
})

same('a head that has been taken out by the program is not told twice', async (stage) => {
  const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
    wss.handleUpgrade(request, socket, Buffer.concat([head, masked(TEXT, 'added')]), (ws) => stage.watch(ws))
  })
  await stage.connect(port, [], masked(TEXT, 'sent'))
  await stage.noted('message', 'message')
})

same('a second handleUpgrade on one socket throws', async (stage) => {
  const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
    const again = (): void => wss.handleUpgrade(request, socket, head, (ws) => stage.note('opened', ws.readyState))
    stage.call('first', again)
    stage.call('second', again)
    stage.call('of another server', () =>
      new stage.module.WebSocketServer({ noServer: true }).handleUpgrade(request, socket, head, () => undefined),
    )
  })
  const peer = await stage.connect(port)
  await peer.response()
  await stage.quiet()
  stage.wire(peer)
})

same(
  'two servers on one http server, which ws advises against: the second ends what the first has opened',
  async (stage) => {
    const http = createServer()
    const one = new stage.module.WebSocketServer({ server: http, path: '/one' })
    const two = new stage.module.WebSocketServer({ server: http, path: '/two' })
    one.on('connection', (ws) => {
      stage.note('one')
      ws.on('close', (code) => stage.note('close', code))
    })
    two.on('connection', () => stage.note('two'))
    const { port } = await stage.listen(http)
    const peer = await stage.dial(port)
    peer.write(requestOf([], 'GET /one HTTP/1.1'))
    await peer.end()
    await peer.destroy()
    await stage.noted('close')
  },
)

same('a socket that has been destroyed, or ended, is not upgraded', async (stage) => {
  const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
    if (request.url === '/destroyed') socket.destroy()
    else socket.end()
    stage.call('handleUpgrade', () => wss.handleUpgrade(request, socket, head, () => stage.note('opened')))
    stage.note('destroyed', socket.destroyed)
  })
  for (const path of ['/destroyed', '/ended']) {
    const peer = await stage.dial(port)
    peer.write(requestOf([], `GET ${path} HTTP/1.1`))
    await peer.end()
    stage.wire(peer)
  }
})

same('a class of the program is made for each connection', async (stage) => {
  class Mine extends stage.module.WebSocket {
    readonly mine = 1
    greet(): void {
      this.send('hello')
    }
  }
  const { port, wss } = await stage.serve({ WebSocket: Mine })
  wss.on('connection', (ws) => {
    stage.note('connection', ws instanceof Mine, ws instanceof stage.module.WebSocket, ws.constructor.name)
    if (ws instanceof Mine) stage.note('mine', ws.mine, ws.greet())
  })
  const peer = await stage.connect(port)
  await stage.frames(peer, 1)
})

same("'connection' may be emitted by the program, with values of its own", async (stage) => {
  const { port, wss } = await stage.upgrading({}, (wss, request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request, 'who'))
  })
  wss.on('connection', (...values: unknown[]) => stage.note('connection', ...values))
  const peer = await stage.connect(port)
  await peer.response()
  await stage.noted('connection')
})

same('listeners of errors are left on the socket as ws leaves them', async (stage) => {
  const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
    const before = socket.listenerCount('error')
    wss.handleUpgrade(request, socket, head, () => stage.note('errors', socket.listenerCount('error') - before))
  })
  const peer = await stage.connect(port)
  await peer.response()
})

same('an error of the socket while verifyClient is thinking is nobody’s exception', async (stage) => {
  const sockets: Duplex[] = []
  const { port, http } = await stage.serve({ verifyClient: (_: unknown, __: unknown) => undefined })
  http.on('upgrade', (_, socket) => sockets.push(socket))
  await stage.connect(port)
  await stage.until(() => sockets.length > 0, 'the upgrade')
  sockets[0]?.destroy(new Error('gone'))
  await stage.quiet()
  stage.note('destroyed', sockets[0]?.destroyed)
})
