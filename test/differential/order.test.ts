// What is sent, and what is done to the socket in the same turn: ws writes at once, and so all of it is in order.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket, WebSocketServer } from 'ws'
import { readFrames } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'
import { requestOf } from './stage.js'

/** What a listener of 'connection' does. */
type Deed = (ws: WebSocket, request: IncomingMessage, server: WebSocketServer) => void

const DEEDS: Readonly<Record<string, Deed>> = {
  'destroys the socket of the request': (_, request) => request.socket.destroy(),
  'destroys it with an error': (_, request) => request.socket.destroy(new Error('mine')),
  'sends, and destroys the socket of the request': (ws, request) => {
    ws.send('first')
    request.socket.destroy()
  },
  'ends the socket of the request': (ws, request) => {
    ws.send('first')
    request.socket.end()
  },
  'destroys the socket soon': (ws, request) => {
    ws.send('first')
    request.socket.destroySoon()
  },
  'destroys _socket': (ws) => void (Reflect.get(ws, '_socket') as Socket).destroy(),
  terminates: (ws) => ws.terminate(),
  'sends, and terminates': (ws) => {
    ws.send('first')
    ws.terminate()
  },
  closes: (ws) => ws.close(1000, 'done'),
  'sends, and closes': (ws) => {
    ws.send('first')
    ws.close()
  },
  'sends, and writes to the socket of the request': (ws, request) => {
    ws.send('first')
    request.socket.write(Buffer.from('820161', 'hex'))
    ws.send('second')
    request.socket.write(Buffer.from('820162', 'hex'), () => ws.terminate())
  },
  'writes to the socket of the request': (ws, request) => {
    request.socket.write(Buffer.from('820161', 'hex'), () => ws.terminate())
  },
  'closes the server, and terminates': (ws, _, server) => {
    server.close()
    ws.terminate()
  },
}

/** The three ways in which a server gets its sockets. */
const WAYS: Readonly<Record<string, (stage: Stage, deed: Deed) => Promise<number>>> = {
  'an http server': async (stage, deed) => {
    const { port, wss } = await stage.serve()
    wss.on('connection', (ws, request) => deed(stage.watch(ws), request, wss))
    return port
  },
  'the option port': async (stage, deed) => {
    const wss = new stage.module.WebSocketServer({ port: 0, host: '127.0.0.1' })
    stage.after(() => wss.close())
    wss.on('connection', (ws, request) => deed(stage.watch(ws), request, wss))
    await new Promise((resolve) => wss.on('listening', resolve))
    return (wss.address() as { port: number }).port
  },
  handleUpgrade: async (stage, deed) => {
    const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (ws) => deed(stage.watch(ws), request, wss))
    })
    return port
  },
}

for (const [way, serve] of Object.entries(WAYS)) {
  for (const [name, deed] of Object.entries(DEEDS)) {
    const program = async (stage: Stage): Promise<void> => {
      const port = await serve(stage, deed)
      const peer = await stage.dial(port)
      peer.write(requestOf())
      await stage.quiet(60)
      stage.wire(peer)
      await peer.destroy()
      await stage.noted('close')
    }
    same(`with ${way}: the listener ${name}`, program)
  }
}

for (const later of ['a tick', 'a turn']) {
  const program = async (stage: Stage): Promise<void> => {
    const { ws, request, peer } = await stage.pair()
    const deed = (): void => {
      ws.send('last')
      ws.ping('p')
      request.socket.destroy()
    }
    if (later === 'a tick') process.nextTick(deed)
    else setImmediate(deed)
    await peer.end()
    await stage.noted('close')
    stage.wire(peer)
  }
  same(`${later} later: what was sent leaves before the socket is destroyed`, program)
}

const MANY = 12

same('a peer that reads late: what is written to the socket, and its end, come behind what was sent', async (stage) => {
  const { ws, request, peer } = await stage.pair()
  peer.socket.pause()
  for (let number = 0; number < MANY; number++) {
    ws.send(Buffer.alloc(1_000_000 + number))
    request.socket.write(Buffer.of(0x82, 1, number))
  }
  request.socket.end(() => stage.note('finished'))
  ws.on('close', () => stage.note('closed'))
  await stage.quiet(50)
  peer.socket.resume()
  await peer.end()
  const { rest } = await peer.response()
  const { frames } = readFrames(rest)
  stage.note('frames', ...frames.map(({ payload }) => payload.length))
  await peer.destroy()
  await stage.noted('closed', 'finished')
})

same(
  'what is written to the socket, or sent as a frame by hand, does not wait for a Blob',
  async (stage) => {
    const { ws, request, peer } = await stage.pair()
    ws.send(new Blob(['blob']), () => stage.note('blob'))
    request.socket.write(Buffer.from('820161', 'hex'), () => stage.note('written'))
    const { sendFrame } = Reflect.get(ws, '_sender') as { sendFrame(parts: Buffer[], callback: () => void): void }
    Reflect.apply(sendFrame, Reflect.get(ws, '_sender'), [[Buffer.from('820162', 'hex')], () => stage.note('frame')])
    ws.send('behind', () => stage.note('behind'))
    await stage.noted('blob', 'written', 'frame', 'behind')
    await stage.frames(peer, 4)
    await stage.drop(peer)
  },
  privateApiForbidden,
)
