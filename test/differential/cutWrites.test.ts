// What callbacks are told of messages that had not left when the connection ended: of a write that was under way, nothing, and
// of what waited behind it, why.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { masked, PING } from '../support/frames.js'
import { same } from './same.js'
import type { Pair, Stage } from './stage.js'

/** More than the system takes of what nobody reads. */
const MUCH = 24 * 1024 * 1024

/** Resolves when nothing leaves any more: on a busy machine, what one connection may write in a turn takes its time. */
async function stands(ws: WebSocket): Promise<void> {
  for (let before = -1; before !== ws.bufferedAmount; ) {
    before = ws.bufferedAmount
    await delay(30)
  }
}

type Send = (name: string, data: string | Buffer) => void

const SENT: Readonly<Record<string, (send: Send, ws: WebSocket) => void>> = {
  'a long message, and two short ones': (send) => {
    send('long', Buffer.alloc(MUCH, 1))
    send('short', 'x')
    send('last', 'y')
  },
  'two long messages': (send) => {
    send('first', Buffer.alloc(MUCH, 1))
    send('second', Buffer.alloc(MUCH, 2))
  },
  'a short message before a long one': (send) => {
    send('short', 'x')
    send('long', Buffer.alloc(MUCH, 1))
    send('last', 'z')
  },
  'a long text': (send) => {
    send('long', 't'.repeat(MUCH))
    send('last', 'z')
  },
  'a long message without a callback, and a short one': (send, ws) => {
    ws.send(Buffer.alloc(MUCH, 1))
    send('short', 'x')
  },
}

const ENDS: Readonly<Record<string, (stage: Stage, pair: Pair) => void>> = {
  'terminate()': (stage, { ws }) => {
    ws.terminate()
    stage.turns('terminate')
  },
  'the end of the closeTimeout': (_, { ws }) => ws.close(1001),
  'destroy(error) of _socket': (stage, { ws }) => {
    const socket = Reflect.get(ws, '_socket') as Socket
    socket.on('error', (error) => stage.note('socket error', error))
    socket.destroy(new Error('mine'))
  },
  'a reset by the peer': (_, { peer }) => peer.socket.resetAndDestroy(),
}

for (const [what, send] of Object.entries(SENT)) {
  for (const [how, end] of Object.entries(ENDS)) {
    const program = async (stage: Stage): Promise<void> => {
      const pair = await stage.pair({ closeTimeout: 60 })
      const { ws, peer } = pair
      peer.socket.pause()
      send((name, data) => ws.send(data, (error) => stage.note('sent', name, error)), ws)
      await stands(ws)
      end(stage, pair)
      await stage.noted('close')
    }
    same(`${what} at ${how}`, program)
  }
}

const late = async (stage: Stage): Promise<void> => {
  const { ws, peer } = await stage.pair()
  peer.socket.pause()
  ws.send(Buffer.alloc(MUCH, 1))
  await delay(20)
  for (const name of ['one', 'two']) ws.send(name, (error) => stage.note('sent', name, error))
  ws.terminate()
  await stage.noted('close')
}
same('the first callbacks of a WebSocket whose write stands', late)

same('more pings than maxPendingAutoPongs: the pongs before them leave', async (stage) => {
  const { peer } = await stage.pair({ maxPendingAutoPongs: 2 })
  peer.write(Buffer.concat(Array.from({ length: 5 }, (_, at) => masked(PING, String(at)))))
  await stage.noted('close')
  await peer.end()
  stage.wire(peer)
})
