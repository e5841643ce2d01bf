// What a program may choose in an upgrade, and where it may choose oddly: verifyClient, handleProtocols, the lines of the answer,
// wsClientError, and a server that closes meanwhile.
import { Buffer } from 'node:buffer'
import type { ServerOptions } from 'ws'
import { close, masked, TEXT } from '../support/frames.js'
import { same } from './same.js'
import { requestOf, type Stage } from './stage.js'

type Verify = (...values: readonly unknown[]) => void

const ANSWERS: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  'yes, twice': [[true], [true]],
  'no, twice': [[false], [false, 404]],
  'no, and yes': [[false], [true]],
  'what is true': [['yes']],
  nothing: [[]],
  'no code and no text': [[false, 0, '']],
  'a code that is a string': [[false, '403', 'no']],
  'fields of its own': [[false, 403, 'x', { 'Set-Cookie': ['a', 'b'], Connection: 'keep-alive', 'X-None': undefined }]],
}

for (const [name, answers] of Object.entries(ANSWERS)) {
  for (const later of [false, true]) {
    same(`verifyClient answers ${name}${later ? ', later' : ''}`, async (stage) => {
      const verifyClient = (_: unknown, verify: Verify): void => {
        const answer = (): void => {
          for (const values of answers) stage.call('answer', () => verify(...values))
        }
        if (later) setImmediate(answer)
        else answer()
      }
      const { port, wss } = await stage.serve({ verifyClient })
      wss.on('connection', (ws) => stage.note('connection', ws.readyState))
      const peer = await stage.connect(port)
      await peer.response()
      await stage.quiet(10)
      stage.wire(peer)
    })
  }
}

const VERIFIERS: Readonly<Record<string, (...values: readonly unknown[]) => unknown>> = {
  'no parameter': () => true,
  'one parameter': (_) => 1,
  'three parameters': (_, __, ___) => true,
  'an answer that is a promise': async () => false,
  'an answer that is 0': () => 0,
}
for (const [name, verifyClient] of Object.entries(VERIFIERS)) {
  same(`verifyClient with ${name}`, async (stage) => {
    const { port, wss } = await stage.serve({ verifyClient })
    wss.on('connection', () => stage.note('connection'))
    const peer = await stage.connect(port)
    await peer.response()
    stage.wire(peer)
  })
}

same('verifyClient is called on the options, with what it is to know', async (stage) => {
  const { port, wss } = await stage.serve({
    verifyClient(this: unknown, info: Readonly<Record<string, unknown>>) {
      stage.note('verifyClient', this === wss.options, Object.keys(info), info['origin'], info['secure'])
      return true
    },
  })
  for (const headers of [['Origin: null'], []]) await (await stage.connect(port, headers)).response()
})

for (const chosen of [5, true, ['a'], { toString: () => 'b' }, 'a, b', 'ü', '€']) {
  same(`handleProtocols returns ${JSON.stringify(chosen)}, which is odd`, async (stage) => {
    const { port, wss } = await stage.serve({ handleProtocols: () => chosen })
    wss.on('connection', (ws) => stage.note('connection', String(ws.protocol), typeof ws.protocol))
    const peer = await stage.connect(port, ['Sec-WebSocket-Protocol: a, b'])
    await peer.response()
    stage.wire(peer)
  })
}

const CHANGES: Readonly<Record<string, (lines: unknown[]) => unknown>> = {
  'takes all away': (lines) => lines.splice(0),
  'says another status': (lines) => lines.splice(0, 1, 'HTTP/1.1 101 Yes'),
  'adds what is not of Latin 1': (lines) => lines.push('X: €'),
  'adds what is no string': (lines) => lines.push(5, ['A: b', 'C: d'], undefined),
  'adds two lines in one': (lines) => lines.push('A: b\r\nC: d'),
}
for (const [name, change] of Object.entries(CHANGES)) {
  same(`a listener of 'headers' ${name}`, async (stage) => {
    const { port, wss } = await stage.serve()
    wss.on('headers', change)
    wss.on('connection', (ws) => ws.send('x'))
    const peer = await stage.connect(port)
    await peer.until(() => peer.text.endsWith('\x81\x01x'), 'the answer, and the message')
    stage.note('received', peer.received.toString('utf8'))
  })
}

same('wsClientError, and the request is upgraded all the same', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('wsClientError', (_, socket, request) => {
    request.headers['sec-websocket-version'] = '13'
    wss.handleUpgrade(request, socket, Buffer.alloc(0), (ws) => stage.watch(ws).send('late'))
  })
  const peer = await stage.connect(port, ['Sec-WebSocket-Version: 5'])
  await stage.frames(peer, 1)
  peer.write(masked(TEXT, 'x'))
  await stage.noted('message')
})

same('wsClientError is told once, and the next is answered as without a listener', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.once('wsClientError', (error, socket) => {
    stage.note('wsClientError', error, socket.listenerCount('error'), socket.writable)
    socket.destroy()
  })
  for (let count = 0; count < 2; count++) {
    const peer = await stage.connect(port, ['Sec-WebSocket-Key!'])
    await peer.end()
    stage.wire(peer)
  }
})

const CLOSES: Readonly<Record<string, (closes: () => void) => Partial<ServerOptions>>> = {
  "'headers'": () => ({}),
  "'connection'": () => ({}),
  verifyClient: (closes) => ({ verifyClient: () => closes() === undefined }),
  handleProtocols: (closes) => ({ handleProtocols: () => (closes() === undefined ? 'a' : false) }),
}
for (const [where, options] of Object.entries(CLOSES)) {
  same(`a server that closes in ${where}`, async (stage: Stage) => {
    const closes = (): void => wss.close((error) => stage.note('closed', error))
    const { port, wss } = await stage.serve({ ...options(() => closes()) })
    if (where === "'headers'") wss.on('headers', closes)
    wss.on('connection', (ws) => {
      if (where === "'connection'") closes()
      stage.watch(ws)
      stage.note('clients', wss.clients.size)
    })
    const peer = await stage.dial(port)
    peer.write(requestOf(['Sec-WebSocket-Protocol: a']))
    const { status } = await peer.response()
    if (status === 101) peer.write(close(1000))
    await peer.end()
    peer.socket.end()
    await stage.noted('closed')
    await stage.quiet(10)
    stage.wire(peer)
  })
}

same('a server closes before it listens', async (stage) => {
  const wss = new stage.module.WebSocketServer({ port: 0 })
  for (const event of ['listening', 'close', 'error']) {
    wss.on(event, (...values: unknown[]) => stage.note(event, ...values))
  }
  wss.close((error) => stage.note('closed', error))
  stage.note('address', wss.address())
  stage.turns('turn')
  await stage.noted('closed', 'turn: immediate')
})

same('the clients of a server are taken away by the program', async (stage) => {
  const { wss, peer } = await stage.pair()
  wss.clients.clear()
  wss.close((error) => stage.note('closed', error))
  await stage.noted('closed')
  await stage.drop(peer)
})

for (const port of [70_000, -1, 1.5, Number.NaN]) {
  same(`a server on the port ${port}`, async (stage) => {
    stage.call('new', () => Reflect.construct(stage.module.WebSocketServer, [{ port }]))
  })
}

same('a short backlog, and an address in each mode', async (stage) => {
  const wss = new stage.module.WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 1 })
  await new Promise((resolve) => wss.once('listening', resolve))
  const { port } = wss.address() as { port: number }
  wss.on('connection', () => stage.note('connection'))
  for (let count = 0; count < 3; count++) await (await stage.connect(port)).response()
  wss.close()
  stage.note('address', wss.address())
  const attached = await stage.serve()
  const address = attached.wss.address()
  stage.note('of the server', typeof address === 'object' && address?.port === attached.port)
  stage.call('without one', () => new stage.module.WebSocketServer({ noServer: true }).address())
})
