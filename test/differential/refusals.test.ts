// Upgrade requests that are refused: the whole answer, byte for byte, and how the connection ends.
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { same } from './same.js'
import { type Options, requestOf, type Stage } from './stage.js'

/** What a server with these options answers to a request. */
function answer(name: string, options: Options, headers: readonly string[], first?: string): void {
  same(name, async (stage) => {
    const { port, wss } = await stage.serve(options)
    wss.on('connection', (ws) => stage.note('connection', ws.protocol, ws.extensions))
    await answered(stage, port, requestOf(headers, first))
  })
}

async function answered(stage: Stage, port: number, request: string): Promise<void> {
  const peer = await stage.dial(port)
  peer.write(request)
  const { status } = await peer.response()
  if (status !== 101) await peer.end()
  stage.wire(peer)
}

answer('a POST is refused with 405', {}, ['Content-Length: 0'], 'POST / HTTP/1.1')
answer('an upgrade to another protocol is refused', {}, ['Upgrade: foo'])
answer('a protocol in a list of others is refused', {}, ['Upgrade: websocket, foo'])
answer('the name of the protocol may be in any case', {}, ['Upgrade: WebSocket'])
answer('a request without a key is refused', {}, ['Sec-WebSocket-Key!'])
answer('a key that is too short is refused', {}, ['Sec-WebSocket-Key: P5l8BJcZwRc='])
answer('a key of other letters is refused', {}, ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ_=='])
answer('a request without a version is refused', {}, ['Sec-WebSocket-Version!'])
answer('version 12 is refused', {}, ['Sec-WebSocket-Version: 12'])
answer('version 14 is refused', {}, ['Sec-WebSocket-Version: 14'])
answer('a version that is no number is refused', {}, ['Sec-WebSocket-Version: abc'])
answer('version 8 is taken', {}, ['Sec-WebSocket-Version: 8'])
answer('another path is refused', { path: '/here' }, [], 'GET /there HTTP/1.1')
answer('the path is taken, whatever its query', { path: '/here' }, [], 'GET /here?a=1/2?3 HTTP/1.1')
answer('a path that begins as the option does is refused', { path: '/here' }, [], 'GET /here/too HTTP/1.1')
answer('an empty subprotocol is refused', {}, ['Sec-WebSocket-Protocol: a,'])
answer('a subprotocol that comes twice is refused', {}, ['Sec-WebSocket-Protocol: a,b,a'])
answer('a subprotocol of other letters is refused', {}, ['Sec-WebSocket-Protocol: a b'])
answer('an empty header of subprotocols is refused', {}, ['Sec-WebSocket-Protocol: '])
answer('a bad offer of extensions is of no interest without compression', {}, [
  'Sec-WebSocket-Extensions: permessage-deflate; a=',
])
for (const offer of [
  'permessage-deflate; a=',
  'permessage-deflate; foo=1',
  'permessage-deflate; server_max_window_bits=7',
  ',',
  'permessage-deflate; server_no_context_takeover=1',
  'permessage-deflate; client_max_window_bits=16',
  'permessage-deflate; server_max_window_bits',
  '"a"',
]) {
  answer(`the offer '${offer}' is refused with compression`, { perMessageDeflate: true }, [
    `Sec-WebSocket-Extensions: ${offer}`,
  ])
}
answer('several faults are told in the order of ws', { path: '/x' }, ['Sec-WebSocket-Key!', 'Sec-WebSocket-Version: 1'])
answer('a path is asked for before the subprotocols', { path: '/x' }, ['Sec-WebSocket-Protocol: ,'])
answer('HTTP/1.0 is answered as HTTP/1.1', {}, [], 'GET / HTTP/1.0')

same('verifyClient refuses with 401', async (stage) => {
  const { port } = await stage.serve({
    verifyClient: (info: unknown) => {
      stage.note('verifyClient', info)
      return false
    },
  })
  await answered(stage, port, requestOf(['Origin: http://a.example']))
})

same('verifyClient is told the origin of version 8 from its own header', async (stage) => {
  const { port } = await stage.serve({
    verifyClient: ({ origin, secure }: { origin: string; secure: boolean }) => {
      stage.note('verifyClient', origin, secure)
      return true
    },
  })
  const origins = ['Sec-WebSocket-Version: 8', 'Origin: http://a.example', 'Sec-WebSocket-Origin: http://b.example']
  await answered(stage, port, requestOf(origins))
})

for (const [name, parameters] of [
  ['nothing else', [false]],
  ['a code', [false, 404]],
  ['a code and a text', [false, 403, 'Not you: ü']],
  ['headers', [false, 503, 'Later', { 'Retry-After': '120', 'Content-Type': 'text/plain' }]],
  ['a code that has no name', [false, 499, 'Odd']],
] as const) {
  same(`verifyClient refuses later, with ${name}`, async (stage) => {
    const { port } = await stage.serve({
      verifyClient: (_: unknown, verify: (...values: readonly unknown[]) => void) => {
        setImmediate(() => stage.call('verified', () => verify(...parameters)))
      },
    })
    await answered(stage, port, requestOf())
  })
}

same('verifyClient accepts later', async (stage) => {
  const { port, wss } = await stage.serve({
    verifyClient: (_: unknown, verify: (verified: boolean) => void) => {
      setTimeout(() => {
        verify(true)
        stage.note('verified')
      }, 5)
    },
  })
  wss.on('connection', (...values) => stage.note('connection', ...values))
  await answered(stage, port, requestOf())
})

same('a client that has gone when verifyClient accepts is not connected', async (stage) => {
  const accepts: (() => void)[] = []
  const { port, wss, http } = await stage.serve({
    verifyClient: (_: unknown, verify: (verified: boolean) => void) => {
      accepts.push(() => verify(true))
    },
  })
  wss.on('connection', () => stage.note('connection'))
  http.on('upgrade', (_, socket) => socket.on('close', () => stage.note('the socket closes')))
  const peer = await stage.connect(port)
  await stage.until(() => accepts.length > 0, 'the client is verified')
  peer.socket.resetAndDestroy()
  await stage.noted('the socket closes')
  stage.call('accept', () => accepts[0]?.())
  await stage.quiet()
})

same('a client that has half-closed when verifyClient accepts is not connected', async (stage) => {
  const accepts: (() => void)[] = []
  const { port, wss, http } = await stage.serve({
    verifyClient: (_: unknown, verify: (verified: boolean) => void) => {
      accepts.push(() => verify(true))
    },
  })
  wss.on('connection', () => stage.note('connection'))
  http.on('upgrade', (_, socket) => socket.on('end', () => stage.note('the socket ends')).resume())
  const peer = await stage.connect(port)
  peer.socket.end()
  await stage.noted('the socket ends')
  await delay(10)
  stage.call('accept', () => accepts[0]?.())
  await peer.end()
  stage.wire(peer)
})

for (const [name, headers, first] of [
  ['the method', ['Content-Length: 0'], 'POST / HTTP/1.1'],
  ['the key', ['Sec-WebSocket-Key!'], undefined],
  ['the version', ['Sec-WebSocket-Version: 9'], undefined],
  ['the subprotocols', ['Sec-WebSocket-Protocol: a,,b'], undefined],
] as const) {
  same(`wsClientError tells what is wrong with ${name}, and the listener answers`, async (stage) => {
    const { port, wss } = await stage.serve()
    wss.on('wsClientError', (error, socket, request) => {
      stage.note('wsClientError', error, socket, request, socket === request.socket)
      socket.end('HTTP/1.1 418 I\r\nContent-Length: 0\r\n\r\n')
    })
    await answered(stage, port, requestOf(headers, first))
  })
}

same('wsClientError is not told of a path, and not of what verifyClient refuses', async (stage) => {
  const { port, wss } = await stage.serve({ path: '/a', verifyClient: () => false })
  wss.on('wsClientError', (error) => stage.note('wsClientError', error))
  await answered(stage, port, requestOf())
  await answered(stage, port, requestOf([], 'GET /a HTTP/1.1'))
})

same('shouldHandle may be replaced, and is asked with the server as this', async (stage) => {
  const { port, wss } = await stage.serve({ path: '/a' })
  wss.shouldHandle = function (this: unknown, request) {
    stage.note('shouldHandle', this === wss, request)
    return request.url === '/b'
  }
  await answered(stage, port, requestOf([], 'GET /a HTTP/1.1'))
  await answered(stage, port, requestOf([], 'GET /b HTTP/1.1'))
})

same('a class that extends the server may override shouldHandle', async (stage) => {
  class Server extends stage.module.WebSocketServer {
    override shouldHandle(): boolean {
      return false
    }
  }
  const http = createServer()
  const wss = new Server({ server: http })
  stage.note('instance', wss instanceof stage.module.WebSocketServer, wss.constructor.name)
  const { port } = await stage.listen(http)
  await answered(stage, port, requestOf())
})

same('a server that has been closed answers an upgrade that is handed to it with 503', async (stage) => {
  const { port, wss } = await stage.upgrading({}, (wss, request, socket, head) => {
    wss.handleUpgrade(request, socket, head, () => stage.note('connection'))
  })
  wss.close()
  await answered(stage, port, requestOf())
})

same('what is refused after a server has closed, is refused for its own fault first', async (stage) => {
  const { port, wss } = await stage.upgrading({}, (wss, request, socket, head) => {
    wss.handleUpgrade(request, socket, head, () => stage.note('connection'))
  })
  wss.close()
  await answered(stage, port, requestOf(['Sec-WebSocket-Key!']))
})

same('a server with a port of its own answers plain requests with 426', async (stage) => {
  const wss = new stage.module.WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => wss.once('listening', resolve))
  const address = wss.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await answered(stage, port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await new Promise((resolve) => wss.close(resolve))
})

same('a refused client that goes on writing, or is gone, does no harm', async (stage) => {
  const { port } = await stage.serve()
  for (const end of ['resetAndDestroy', 'destroy'] as const) {
    const peer = await stage.dial(port)
    peer.write(requestOf(['Sec-WebSocket-Key!']))
    peer.write(Buffer.alloc(100_000))
    peer.socket[end]()
  }
  await answered(stage, port, requestOf())
})
