// The socket of a WebSocket that is ended in a later turn, by whichever side, plain and over TLS, where no callback was ever asked
// for: its end leaves, and its listeners hear of that once.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { createServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectSecurely } from 'node:tls'
import type { WebSocket } from 'ws'
import { cert, key } from '../support/certificate.js'
import { close, masked } from '../support/frames.js'
import { dialSecurely } from '../support/places.js'
import { same } from './same.js'
import { type Pair, requestOf, type Stage } from './stage.js'

type Ends = Pick<Pair, 'ws' | 'peer'> & { readonly socket: Socket }

const serveSecurely = (stage: Stage): ReturnType<Stage['serve']> =>
  stage.serve({}, createServer({ cert, key }) as unknown as Server)

async function securePair(stage: Stage): Promise<Pick<Pair, 'ws' | 'peer'>> {
  const { port, wss } = await serveSecurely(stage)
  const opened = once(wss, 'connection') as Promise<[WebSocket, IncomingMessage]>
  const peer = await dialSecurely({ host: '127.0.0.1', port })
  stage.after(() => peer.socket.destroy())
  peer.write(requestOf())
  const [ws] = await opened
  await peer.until(() => peer.text.includes('\r\n\r\n'), 'the answer')
  return { ws: stage.watch(ws), peer }
}

const PAIRS = { plain: (stage: Stage) => stage.pair(), 'over TLS': securePair }

const ENDS: Readonly<Record<string, (ends: Ends) => unknown>> = {
  'the peer half-closes': ({ peer }) => peer.socket.end(),
  'the peer says Close, and ends': async ({ peer }) => {
    peer.write(close(1000))
    await peer.end()
    peer.socket.end()
  },
  'this side says Close': async ({ ws, peer }) => {
    ws.close(1000)
    await peer.frames(1)
    peer.write(close(1000))
    await peer.end()
    peer.socket.end()
  },
  'the peer breaks a rule': async ({ peer }) => {
    peer.write(masked(3))
    await peer.end()
    peer.socket.end()
  },
  'the program ends it': async ({ socket, peer }) => {
    socket.end()
    await peer.end()
    peer.socket.end()
  },
  'the program ends it behind a message': async ({ ws, socket, peer }) => {
    ws.send('last')
    await peer.frames(1)
    await delay(5)
    socket.end()
    await peer.end()
    peer.socket.end()
  },
  'the program destroys it soon': ({ socket }) => socket.destroySoon(),
}

for (const [where, pair] of Object.entries(PAIRS)) {
  for (const [how, end] of Object.entries(ENDS)) {
    const program = async (stage: Stage): Promise<void> => {
      const { ws, peer } = await pair(stage)
      const socket = Reflect.get(ws, '_socket') as Socket
      for (const event of ['finish', 'close']) socket.on(event, () => stage.note(`socket ${event}`))
      await delay(5)
      await end({ ws, peer, socket })
      await stage.noted('socket close', 'close')
    }
    same(`a socket ${where}, where ${how}`, program)
  }

  same(`a callback of a write to a socket ${where} comes when that has left`, async (stage) => {
    const { ws, peer } = await pair(stage)
    const socket = Reflect.get(ws, '_socket') as Socket
    peer.socket.pause()
    ws.send(Buffer.alloc(24 * 1024 * 1024))
    await delay(10)
    const payload = Buffer.alloc(40_000, 1)
    socket.cork()
    socket.write(Buffer.from('827e9c40', 'hex'))
    socket.write(payload, () => {
      payload.fill(2) // it is the program's again
      stage.note('written')
    })
    socket.uncork()
    await delay(30)
    stage.note('the peer reads')
    peer.socket.resume()
    const [, frame] = await peer.frames(2)
    stage.note('frame', frame?.payload.length, frame?.payload[0])
    await stage.noted('written')
    ws.terminate()
    await stage.noted('close')
  })
}

same('a Blob that cannot be read is not the end of the peer', async (stage) => {
  const { ws, peer } = await stage.pair()
  let ends = 0
  Reflect.get(ws, '_socket').on('end', () => ends++)
  ws.once('error', () => stage.note('ends', ends))
  const blob = new Blob(['x'])
  Object.defineProperty(blob, 'arrayBuffer', { value: () => Promise.reject(new Error('not there')) })
  ws.send(blob)
  await stage.noted('ends')
  peer.socket.end()
  await stage.noted('close')
})

same('listeners of a TLS socket hear why a read fails', async (stage) => {
  const { port, wss } = await serveSecurely(stage)
  const opened = once(wss, 'connection') as Promise<[WebSocket, IncomingMessage]>
  const below = connect(port, '127.0.0.1')
  const socket = connectSecurely({ socket: below, rejectUnauthorized: false })
  for (const each of [below, socket]) each.on('error', () => undefined)
  socket.write(requestOf())
  const [ws] = await opened
  await once(socket, 'data')
  Reflect.get(stage.watch(ws), '_socket').on('error', (error: Error) => stage.note('socket error', error))
  below.resetAndDestroy()
  await stage.noted('close')
})
