// Servers over TLS, on an https server of the program's: by the option `server`, and by its own 'upgrade' and handleUpgrade.
import { Buffer } from 'node:buffer'
import type { Server } from 'node:http'
import { createServer } from 'node:https'
import type { WebSocketServer } from 'ws'
import { cert, key } from '../support/certificate.js'
import { CLOSE, close, masked, PING, TEXT } from '../support/frames.js'
import { dialSecurely } from '../support/places.js'
import type { SocketClient } from '../support/socketClient.js'
import { same } from './same.js'
import { type Options, requestOf, type Stage } from './stage.js'

/** The ways in which a server gets its upgrades. */
const WAYS: Readonly<
  Record<string, (stage: Stage, options: Options) => Promise<{ wss: WebSocketServer; port: number }>>
> = {
  server: (stage, options) => stage.serve(options, secureServer()),
  handleUpgrade: async (stage, options) => {
    const http = secureServer()
    const wss = new stage.module.WebSocketServer({ ...options, noServer: true })
    http.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))
    })
    return { wss, port: (await stage.listen(http)).port }
  },
}

function secureServer(): Server {
  return createServer({ cert, key }) as unknown as Server
}

async function dial(stage: Stage, port: number, request = requestOf()): Promise<SocketClient> {
  const peer = await dialSecurely({ host: '127.0.0.1', port })
  stage.after(() => peer.socket.destroy())
  peer.write(request)
  return peer
}

for (const [way, serve] of Object.entries(WAYS)) {
  same(`over TLS by ${way}: messages both ways, and a closing handshake`, async (stage) => {
    const { port, wss } = await serve(stage, { perMessageDeflate: true })
    wss.on('connection', (ws, request) => {
      stage.watch(ws)
      const socket = Reflect.get(ws, '_socket') as typeof request.socket
      stage.note('connection', socket === request.socket, Reflect.get(socket, 'encrypted'), ws.extensions)
      ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }, (error) => stage.note('sent', error)))
    })
    const peer = await dial(stage, port)
    peer.write(Buffer.concat([masked(TEXT, 'text'), masked(2, Buffer.alloc(300_000, 7)), masked(PING, 'p')]))
    await stage.noted('message', 'message', 'sent', 'sent', 'ping')
    await stage.frames(peer, 3)
    peer.write(close(1000, 'done'))
    await stage.finish(peer)
  })

  same(`over TLS by ${way}: this side closes`, async (stage) => {
    const { port, wss } = await serve(stage, {})
    wss.on('connection', (ws) => stage.watch(ws).close(4000, 'mine'))
    const peer = await dial(stage, port)
    const [frame] = await stage.frames(peer, 1)
    peer.write(masked(CLOSE, frame?.payload))
    await stage.finish(peer)
  })

  same(`over TLS by ${way}: a wrong frame, and terminate()`, async (stage) => {
    const { port, wss } = await serve(stage, {})
    wss.on('connection', (ws, { url }) => {
      stage.watch(ws)
      if (url === '/terminate') ws.terminate()
    })
    const wrong = await dial(stage, port)
    wrong.write(masked(3))
    await stage.noted('error')
    await stage.finish(wrong)
    const terminated = await dial(stage, port, requestOf([], 'GET /terminate HTTP/1.1'))
    await stage.noted('close', 'close')
    await terminated.end()
  })

  same(`over TLS by ${way}: verifyClient is told that it is secure, and refuses`, async (stage) => {
    const verifyClient = ({ secure, origin }: { secure: boolean; origin: string }): boolean => {
      stage.note('verifyClient', secure, origin)
      return false
    }
    const { port } = await serve(stage, { verifyClient })
    const peer = await dial(stage, port, requestOf(['Origin: https://a.example']))
    await peer.end()
    stage.wire(peer)
  })

  same(`over TLS by ${way}: what is refused, and what is no WebSocket`, async (stage) => {
    const { port, wss } = await serve(stage, { path: '/here' })
    wss.on('connection', () => stage.note('connection'))
    for (const request of [requestOf(), requestOf(['Sec-WebSocket-Key!'], 'GET /here HTTP/1.1')]) {
      const peer = await dial(stage, port, request)
      await peer.end()
      stage.wire(peer)
    }
    const taken = await dial(stage, port, requestOf([], 'GET /here?with=query HTTP/1.1'))
    await taken.response()
    stage.wire(taken)
  })

  same(`over TLS by ${way}: frames that come with the request`, async (stage) => {
    const { port, wss } = await serve(stage, {})
    wss.on('connection', (ws) => stage.watch(ws))
    const peer = await dial(stage, port, `${requestOf()}${masked(TEXT, 'early').toString('latin1')}`)
    await stage.noted('message')
    peer.socket.destroy()
    await stage.noted('close')
  })
}
