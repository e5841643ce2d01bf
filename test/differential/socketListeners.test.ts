// What listeners of `_socket` are told, and when, though its bytes pass it by.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { close, masked, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Pair, Stage } from './stage.js'

function listen(stage: Stage, ws: WebSocket): Socket {
  const socket = Reflect.get(ws, '_socket') as Socket
  for (const event of ['end', 'finish', 'error', 'close']) {
    socket.on(event, (...values: unknown[]) => stage.note(`socket ${event}`, ...values, ws.readyState))
  }
  return socket
}

const ENDS: Readonly<Record<string, (pair: Pair) => unknown>> = {
  'the peer says Close, and ends': async ({ peer }) => {
    peer.write(close(1000))
    await delay(10)
    peer.socket.end()
  },
  'this side says Close': async ({ ws, peer }) => {
    ws.close(1000)
    await peer.frames(1)
    peer.write(close(1000))
    await delay(10)
    peer.socket.end()
  },
  'the peer half-closes': ({ peer }) => peer.socket.end(),
  'the peer resets': ({ peer }) => peer.socket.resetAndDestroy(),
  'it is terminated': ({ ws }) => ws.terminate(),
  'it is terminated while a message waits': ({ ws, peer }) => {
    peer.socket.pause()
    ws.send(Buffer.alloc(24 * 1024 * 1024))
    ws.terminate()
  },
  'the peer breaks a rule': async ({ peer }) => {
    peer.write(masked(3))
    await delay(10)
    peer.socket.end()
  },
}

for (const [how, end] of Object.entries(ENDS)) {
  same(`listeners of _socket where ${how}`, async (stage) => {
    const pair = await stage.pair()
    listen(stage, pair.ws)
    await end(pair)
    await stage.noted('socket close', 'close')
  })
}

same("a message before the peer's end is told before the listeners of _socket are", async (stage) => {
  const { ws, peer } = await stage.pair()
  listen(stage, ws).on('end', () => stage.note('buffered', ws.bufferedAmount))
  peer.write(masked(TEXT, 'last'))
  peer.socket.end()
  await stage.noted('socket close', 'close')
})
