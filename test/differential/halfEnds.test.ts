// This side can send nothing more, and the peer can: a Blob that could not be read, or a socket that the program has ended.
import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { buildFrame, close, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

const KEY = Uint8Array.of(1, 2, 3, 4)

class Unreadable extends Blob {
  override arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.reject(new Error('no bytes'))
  }
}

const AMID: Readonly<Record<string, (stage: Stage, ws: WebSocket) => void>> = {
  nothing: () => undefined,
  'a message behind it': (stage, ws) => ws.send('behind', (error) => stage.note('behind', error)),
  'a ping behind it': (stage, ws) => ws.ping('behind', false, (error) => stage.note('behind', error)),
  close: (_, ws) => ws.close(1000, 'bye'),
  terminate: (_, ws) => ws.terminate(),
  'the same again': (stage, ws) => ws.send(new Unreadable(['d']), (error) => stage.note('again', error)),
}

for (const [what, then] of Object.entries(AMID)) {
  for (const answers of [true, false]) {
    same(`a Blob that can't be read, and ${what}; the peer says ${answers ? 'Close' : 'nothing'}`, async (stage) => {
      const { ws, peer } = await stage.pair()
      for (const event of ['end', 'finish', 'close'])
        Reflect.get(ws, '_socket').on(event, () => stage.note(`socket ${event}`, ws.readyState))
      ws.send('before', (error) => stage.note('before', error))
      ws.send(new Unreadable(['abc']), (error) => stage.note('callback', error))
      then(stage, ws)
      await delay(20)
      stage.note('then', ws.readyState, ws.bufferedAmount)
      stage.call('send', () => ws.send('late', (error) => stage.note('late', error)))
      peer.write(buildFrame({ opcode: TEXT, payload: 'from the peer', key: KEY }))
      await delay(10)
      if (answers) peer.write(close(1000, 'well'))
      await delay(10)
      peer.socket.end()
      await stage.noted('close')
      stage.wire(peer)
    })
  }
}

same('a Blob that can’t be read, and a peer that does not end', async (stage) => {
  const { ws, peer } = await stage.pair({ closeTimeout: 40 })
  ws.send(new Unreadable(['abc']), (error) => stage.note('callback', error))
  await stage.noted('close')
  stage.wire(peer)
})

const LATER: Readonly<Record<string, (stage: Stage, ws: WebSocket) => void>> = {
  'a message': (stage, ws) => ws.send('x', (error) => stage.note('callback', error)),
  'an empty message': (stage, ws) => ws.send('', (error) => stage.note('callback', error)),
  'messages without callbacks': (_, ws) => {
    ws.send('x')
    ws.send(Buffer.from('y'))
  },
  'a ping and a message': (stage, ws) => {
    ws.ping('x', false, (error) => stage.note('ping', error))
    ws.send('x', (error) => stage.note('callback', error))
  },
  close: (_, ws) => ws.close(1000),
  nothing: () => undefined,
}

for (const [what, send] of Object.entries(LATER)) {
  for (const milliseconds of [0, 10]) {
    same(`${what} ${milliseconds} ms after the program has ended the socket`, async (stage) => {
      const { ws, peer } = await stage.pair()
      const socket = Reflect.get(ws, '_socket')
      socket.on('error', (error: Error) => stage.note('socket error', error, ws.readyState))
      ws.send('before', (error) => stage.note('before', error))
      socket.end()
      if (milliseconds > 0) await delay(milliseconds)
      stage.call('send', () => send(stage, ws))
      stage.note('state', ws.readyState)
      await delay(20)
      stage.note('later', ws.readyState, socket.destroyed)
      peer.socket.end()
      await stage.noted('close')
      stage.wire(peer)
    })
  }
}
