// A connection over a Duplex that is no socket, and that ends at once: what was sent before has been written to the Duplex.
import { Buffer } from 'node:buffer'
import type { WebSocket } from 'ws'
import { duplexPair } from '../support/duplexPair.js'
import { buildFrame, masked, PING, TEXT } from '../support/frames.js'
import { collected, noteFrames, over } from './duplexes.js'
import { same } from './same.js'

/** What the peer sends: made for each run, as ws unmasks where it lies. */
const CAME: Readonly<Record<string, () => Buffer>> = {
  text: () => masked(TEXT, 'a'),
  ping: () => masked(PING, 'p'),
  'an opcode that there is not': () => buildFrame({ opcode: 3, key: Uint8Array.of(1, 2, 3, 4) }),
}

const ENDS: Readonly<Record<string, (ws: WebSocket) => void>> = {
  'terminates where a frame is wrong': (ws) => ws.on('error', () => ws.terminate()),
  'sends and terminates': (ws) =>
    ws.on('message', () => {
      ws.send('answer')
      ws.send(Buffer.alloc(1000))
      ws.terminate()
    }),
  'terminates as it is pinged': (ws) => ws.on('ping', () => ws.terminate()),
}

for (const [what, prepare] of Object.entries(ENDS)) {
  for (const [came, frame] of Object.entries(CAME)) {
    same(`over a Duplex, a program that ${what}; the peer sends ${came}`, async (stage) => {
      const [near, far] = duplexPair()
      const read = collected(far)
      const ws = over(stage, near)
      if (ws !== undefined) prepare(ws)
      far.write(frame())
      setTimeout(() => far.end(), 100)
      await stage.noted('close')
      noteFrames(stage, read.all())
    })
  }
}
