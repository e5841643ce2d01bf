// What is sent, and what is done to the socket in the same turn: ws writes at once, and so all of it is in order.
import type { Server } from 'node:http'
import { createServer } from 'node:https'
import { cert, key } from '../support/certificate.js'
import { readFrames } from '../support/frames.js'
import { dialSecurely } from '../support/places.js'
import { privateApiForbidden } from '../support/privateApi.js'
import type { SocketClient } from '../support/socketClient.js'
import { DEEDS, type Deed } from './deeds.js'
import { same } from './same.js'
import type { Stage } from './stage.js'
import { requestOf } from './stage.js'

/** The ways in which a server gets its sockets. */
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
  'an https server': async (stage, deed) => {
    const { port, wss } = await stage.serve({}, createServer({ cert, key }) as unknown as Server)
    wss.on('connection', (ws, request) => deed(stage.watch(ws), request, wss))
    return port
  },
  handleUpgrade: async (stage, deed) => {
    const { port } = await stage.upgrading({}, (wss, request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (ws) => deed(stage.watch(ws), request, wss))
    })
    return port
  },
}

async function dial(stage: Stage, port: number, secure: boolean): Promise<SocketClient> {
  if (!secure) return stage.dial(port)
  const peer = await dialSecurely({ host: '127.0.0.1', port })
  stage.after(() => peer.socket.destroy())
  return peer
}

/** Over TLS, the private API writes the response together with what is sent behind it; of ws, that waits, and is lost. */
const LOST = new Set(['sends, and destroys the socket of the request', 'sends, and terminates'])

for (const [way, serve] of Object.entries(WAYS)) {
  for (const [name, deed] of Object.entries(DEEDS)) {
    const program = async (stage: Stage): Promise<void> => {
      const port = await serve(stage, deed)
      const peer = await dial(stage, port, way === 'an https server')
      peer.write(requestOf())
      await stage.quiet(60)
      stage.wire(peer)
      await peer.destroy()
      await stage.noted('close')
    }
    const differs = way === 'an https server' && LOST.has(name) && privateApiForbidden === false
    same(`with ${way}: the listener ${name}`, program, differs && 'leaves, and is lost with ws')
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

same('what is written to the socket, or sent as a frame by hand, does not wait for a Blob', async (stage) => {
  const { ws, request, peer } = await stage.pair()
  ws.send(new Blob(['blob']), () => stage.note('blob'))
  request.socket.write(Buffer.from('820161', 'hex'), () => stage.note('written'))
  const { sendFrame } = Reflect.get(ws, '_sender') as { sendFrame(parts: Buffer[], callback: () => void): void }
  Reflect.apply(sendFrame, Reflect.get(ws, '_sender'), [[Buffer.from('820162', 'hex')], () => stage.note('frame')])
  ws.send('behind', () => stage.note('behind'))
  await stage.noted('blob', 'written', 'frame', 'behind')
  await stage.frames(peer, 4)
  await stage.drop(peer)
})
