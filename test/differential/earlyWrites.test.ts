// What a program has written to a socket before it opens a WebSocket over it, and what has not left by then: it comes before the
// answer, and all else behind that, in order.
import { Buffer } from 'node:buffer'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { cert, key } from '../support/certificate.js'
import { dialSecurely } from '../support/places.js'
import type { SocketClient } from '../support/socketClient.js'
import { same } from './same.js'
import { requestOf, type Stage } from './stage.js'

/** More than the system takes of what nobody reads. */
const MUCH = 3 * 1024 * 1024

/** Each writes to a socket, and returns of how many bytes. */
const EARLY: Readonly<Record<string, (socket: Duplex) => number>> = {
  'two short pieces': (socket) => {
    socket.write('one,')
    socket.write('two,')
    return 8
  },
  'one piece': (socket) => {
    socket.write('alone,')
    return 6
  },
  'much, in several pieces': (socket) => {
    for (const letter of 'abcd') socket.write(letter.repeat(MUCH))
    return 4 * MUCH
  },
}

async function dial(stage: Stage, port: number, secure: boolean): Promise<SocketClient> {
  const peer = secure ? await dialSecurely({ host: '127.0.0.1', port }) : await stage.dial(port)
  stage.after(() => peer.socket.destroy())
  return peer
}

function serverOf(secure: boolean): Server {
  return secure ? (createSecureServer({ cert, key }) as unknown as Server) : createServer()
}

for (const secure of [false, true]) {
  for (const [what, write] of Object.entries(EARLY)) {
    same(`${what} ${secure ? 'over TLS' : 'over TCP'} before the answer`, async (stage) => {
      const http = serverOf(secure)
      const wss = new stage.module.WebSocketServer({ noServer: true })
      let early = 0
      http.on('upgrade', (request, socket, head) => {
        early = write(socket)
        wss.handleUpgrade(request, socket, head, (ws) => {
          stage.watch(ws).send('sent', (error) => stage.note('sent', error))
          socket.write(Buffer.from('820161', 'hex'), (error) => stage.note('written', error))
          ws.send('last')
          setImmediate(() => socket.end(Buffer.from('820162', 'hex')))
        })
      })
      const { port } = await stage.listen(http)
      const peer = await dial(stage, port, secure)
      peer.socket.pause()
      peer.write(requestOf())
      await stage.quiet(40)
      peer.socket.resume()
      await peer.end()
      peer.socket.end()
      await stage.noted('sent', 'written', 'close')
      const text = peer.received.toString('latin1')
      stage.note('early', text.slice(0, early).replace(/([a-d])\1+/g, '$1'))
      stage.note('behind', text.slice(early, early + 12), text.slice(text.lastIndexOf('\r\n')))
    })
  }
}
