// Methods that a program has put in the place of a WebSocket's own, in a class or on the object: ws calls them by itself where the
// peer has said something.
import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { close, masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

type Method = (...values: readonly unknown[]) => unknown

/** Puts a method in the place of another, which notes its call, and calls the other unless it is told not to. */
function replace(stage: Stage, place: object, name: string, callsOther = true): void {
  const other = Reflect.get(place, name) as Method
  const value = function (this: WebSocket, ...values: readonly unknown[]): unknown {
    const shown = values.map((each) => (typeof each === 'function' ? 'a function' : each))
    stage.note(`own ${name}`, ...shown, this.readyState)
    return callsOther ? Reflect.apply(other, this, values) : undefined
  }
  Object.defineProperty(place, name, { configurable: true, writable: true, value })
}

const FRAMES = { Close: close(1000, 'done'), 'an empty Close': close(), 'a wrong frame': masked(3) }

for (const name of ['close', 'pong', 'emitClose', 'send', 'terminate']) {
  for (const [what, frame] of Object.entries(FRAMES)) {
    same(`a class with ${name} of its own, and ${what}`, async (stage) => {
      class Mine extends stage.module.WebSocket {}
      replace(stage, Mine.prototype, name)
      const { peer, ws } = await stage.pair({ WebSocket: Mine })
      ws.send('x')
      peer.write(Buffer.concat([masked(TEXT, 'm'), masked(PING, 'p'), frame, masked(TEXT, 'never')]))
      await stage.finish(peer)
    })
  }
  same(`an object with ${name} of its own`, async (stage) => {
    const { peer, ws } = await stage.pair()
    replace(stage, ws, name)
    peer.write(Buffer.concat([masked(PING, 'p'), close(4000, 'theirs')]))
    await stage.finish(peer)
  })
}

same('a pong of its own that answers nothing', async (stage) => {
  const { peer, ws } = await stage.pair()
  replace(stage, ws, 'pong', false)
  peer.write(Buffer.concat([masked(PING, 'p'), masked(TEXT, 'x'), close(1000)]))
  await stage.finish(peer)
})

same("a close of its own that answers the peer's Close later", async (stage) => {
  const { peer, ws } = await stage.pair()
  const { close: closes } = ws
  replace(stage, ws, 'close', false)
  peer.write(Buffer.concat([close(1000, 'theirs'), masked(TEXT, 'never')]))
  await delay(20)
  peer.write(masked(TEXT, 'nor this'))
  await delay(10)
  stage.note('state', ws.readyState)
  Reflect.apply(closes, ws, [4000, 'mine'])
  await stage.finish(peer)
})

same("a close of its own that never answers the peer's Close", async (stage) => {
  const { peer, ws } = await stage.pair()
  replace(stage, ws, 'close', false)
  peer.write(close(1000, 'theirs'))
  await delay(20)
  stage.note('state', ws.readyState)
  peer.socket.end()
  await stage.finish(peer)
})

same('a close of its own when this side has said Close before', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.close(4001, 'mine')
  replace(stage, ws, 'close')
  peer.write(close(4001, 'mine'))
  await stage.finish(peer)
})
