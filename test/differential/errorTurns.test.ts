// In which turn the error of a broken rule comes, against what a program has put off for the messages before it. A program that
// handles messages some ticks later, as socket.io does, handles those that came before the error.
import { Buffer } from 'node:buffer'
import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { deflateRawSync } from 'node:zlib'
import type { WebSocket } from 'ws'
import { duplexPair } from '../support/duplexPair.js'
import { buildFrame, CLOSE, masked, PING, PONG, TEXT } from '../support/frames.js'
import { same } from './same.js'
import { KEY, type Stage } from './stage.js'

const DEFLATE = ['Sec-WebSocket-Extensions: permessage-deflate']

/** A compressed message, or what says that it is one. */
function compressed(payload: Uint8Array): Buffer {
  return buildFrame({ opcode: TEXT, reserved: 4, payload, key: Buffer.of(1, 2, 3, 4) })
}

function deflated(text: string): Buffer {
  return compressed(deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4))
}

const BEFORE: Readonly<Record<string, readonly Buffer[]>> = {
  'a message': [masked(TEXT, 'a')],
  'two messages': [masked(TEXT, 'a'), masked(TEXT, 'b')],
  'a ping': [masked(PING, 'a')],
  'a pong': [masked(PONG, 'a')],
  'a compressed message': [deflated('aaaa')],
  'a compressed message and another': [deflated('aaaa'), masked(TEXT, 'b')],
}

const WRONG: Readonly<Record<string, Buffer>> = {
  'a frame that breaks a rule': masked(3),
  'a frame that is too long': masked(TEXT, 'a'.repeat(1001)),
  'text that is none': masked(TEXT, Buffer.from('ff', 'hex')),
  'a Close frame with a code that must not be sent': masked(CLOSE, Buffer.from('03ed', 'hex')),
  'a compressed message that is too long': deflated('a'.repeat(5000)),
  'a compressed message that is not DEFLATE': compressed(Buffer.from('01020304ff', 'hex')),
  'a compressed message of text that is none': compressed(Buffer.from('01010000feff00', 'hex')),
}

for (const allowSynchronousEvents of [true, false]) {
  for (const [before, frames] of Object.entries(BEFORE)) {
    for (const [wrong, frame] of Object.entries(WRONG)) {
      const how = allowSynchronousEvents ? '' : ', each event in a turn'
      same(`${wrong} behind ${before}${how}`, async (stage) => {
        const { ws, peer } = await stage.pair(
          { allowSynchronousEvents, maxPayload: 1000, perMessageDeflate: true },
          DEFLATE,
        )
        for (const event of ['message', 'ping', 'pong', 'error']) ws.on(event, () => ticks(stage, event, 4))
        peer.write(Buffer.concat([...frames, frame]))
        await stage.noted('error: microtask')
        await stage.finish(peer)
      })
    }
  }
}

const ENDS: Readonly<Record<string, (ws: WebSocket) => void>> = {
  terminates: (ws) => ws.terminate(),
  'destroys the socket': (ws) => Reflect.get(ws, '_socket').destroy(),
}

for (const [wrong, frame] of Object.entries(WRONG)) {
  for (const [how, end] of Object.entries(ENDS)) {
    same(`${wrong} behind a message in whose turn the program ${how}`, async (stage) => {
      const { ws, peer } = await stage.pair(
        { allowSynchronousEvents: false, maxPayload: 1000, perMessageDeflate: true },
        DEFLATE,
      )
      ws.on('message', () => end(ws))
      peer.write(Buffer.concat([masked(TEXT, 'a'), frame]))
      await stage.noted('error', 'close')
    })
  }

  same(`${wrong} comes over a Duplex that is destroyed before the error is told`, async (stage) => {
    const [near, far] = duplexPair()
    const { wss } = await stage.upgrading({ maxPayload: 1000, perMessageDeflate: true }, () => undefined)
    const headers = {
      ...{ upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', 'sec-websocket-key': KEY },
      'sec-websocket-extensions': 'permessage-deflate',
    }
    const request = Object.assign(new IncomingMessage(near as unknown as Socket), { method: 'GET', url: '/', headers })
    wss.handleUpgrade(request, near, Buffer.alloc(0), (opened) => stage.watch(opened))
    await stage.quiet(5)
    far.write(Buffer.from(frame)) // which is unmasked in place
    process.nextTick(() => process.nextTick(() => near.destroy()))
    await stage.noted('error', 'close')
  })
}

/** Notes so many ticks, each put off in the one before, and a microtask. */
function ticks(stage: Stage, name: string, left: number): void {
  queueMicrotask(() => stage.note(`${name}: microtask`))
  if (left === 0) return
  process.nextTick(() => {
    stage.note(`${name}: tick`, left)
    ticks(stage, name, left - 1)
  })
}
