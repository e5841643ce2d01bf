// With `allowSynchronousEvents: false`, each event of a frame has a turn of its own, and what was read behind it is looked at in
// that turn: an error is told in its next tick, and a Close answered in it.
import type { WebSocket } from 'ws'
import { CLOSE, masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'

const BEHIND: Readonly<Record<string, readonly Uint8Array[]>> = {
  'a frame that breaks a rule': [masked(3)],
  'a frame that is too long': [masked(TEXT, 'a'.repeat(101))],
  'text that is none': [masked(TEXT, Buffer.from('ff', 'hex'))],
  Close: [masked(CLOSE)],
  'Close, and more': [masked(CLOSE), masked(TEXT, 'no')],
  'a ping': [masked(PING, 'b')],
  nothing: [],
}

const DEEDS: Readonly<Record<string, (ws: WebSocket) => void>> = {
  'does nothing': () => undefined,
  terminates: (ws) => ws.terminate(),
  closes: (ws) => ws.close(1001),
  sends: (ws) => ws.send('answer'),
  'sends in the next tick': (ws) => process.nextTick(() => ws.send('answer')),
}

const FIRST = { 'a message': [masked(TEXT, 'a')], 'a ping': [masked(PING, 'a')] }
const FIRSTS: Readonly<Record<string, readonly Uint8Array[]>> = {
  ...FIRST,
  'two messages': [masked(TEXT, 'a'), masked(TEXT, 'b')],
  nothing: [],
}

for (const [before, first] of Object.entries(FIRSTS)) {
  for (const [behind, frames] of Object.entries(BEHIND)) {
    for (const [deed, act] of Object.entries(DEEDS)) {
      if (first.length + frames.length === 0 || (first.length === 0 && deed !== 'does nothing')) continue
      same(`${before}, whose listener ${deed}, and ${behind}`, async (stage) => {
        const { ws, peer } = await stage.pair({ allowSynchronousEvents: false, maxPayload: 100 })
        for (const event of ['message', 'ping', 'error', 'close']) ws.on(event, () => stage.turns(event))
        ws.once('message', () => act(ws))
        ws.once('ping', () => act(ws))
        peer.write(Buffer.concat([...first, ...frames]))
        await stage.quiet()
        if (ws.readyState !== 3) peer.socket.end()
        await stage.noted('close', 'close: immediate')
        stage.wire(peer)
      })
    }
  }
}
