// How connections end: closing handshakes, codes, reasons, states, and what is left when one end is simply gone.

import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import { duplexPair } from '../support/duplexPair.js'
import { CLOSE, close, masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

/** Closes from the server's side, and answers as a peer does. */
async function closed(stage: Stage, parameters: readonly unknown[]): Promise<void> {
  const { peer, ws } = await stage.pair()
  stage.call('close', () => Reflect.apply(ws.close, ws, parameters))
  stage.note('state', ws.readyState)
  if (ws.readyState !== ws.CLOSING) return stage.drop(peer)
  const [frame] = await stage.frames(peer, 1)
  peer.write(masked(CLOSE, frame?.payload))
  await stage.finish(peer)
}

for (const parameters of [
  [],
  [1000],
  [1001, 'going'],
  [3000, ''],
  [4999, 'x'.repeat(123)],
  [1000, 'é'.repeat(61)],
  [1000, Buffer.from('bytes')],
  [1000, new Uint8Array([65, 66])],
  [undefined, 'dropped'],
  [1000, undefined],
]) {
  same(`close(${parameters.map((value) => JSON.stringify(value)).join(', ')})`, (stage) => closed(stage, parameters))
}

for (const parameters of [
  [999],
  [1004],
  [1005],
  [1006],
  [1015],
  [1016],
  [2999],
  [5000],
  ['1000'],
  [null],
  ['reason only'],
  [{}],
  [Number.NaN],
  [1000, 'x'.repeat(124)],
  [1000, 'é'.repeat(62)],
  [1000, 5],
  [1000, {}],
  [1000, [1, 2]],
  [1000, { length: 3 }],
  [1000, new Uint16Array(2)],
  [1000, new Uint16Array(80)],
]) {
  same(`close(${parameters.map((value) => String(value)).join(', ')}) with what can't be sent`, (stage) =>
    closed(stage, parameters),
  )
}

for (const frame of [close(), close(1000), close(1001, 'away'), close(4000, 'é'), close(1011, 'x'.repeat(123))]) {
  same(`the peer's Close ${frame.length} bytes long: what is told, and what is answered`, async (stage) => {
    const { peer, ws } = await stage.pair()
    ws.on('close', () => stage.note('state', ws.readyState))
    peer.write(frame)
    await stage.finish(peer)
  })
}

for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) {
  same(`the peer's Close with ${code}`, async (stage) => {
    const { peer } = await stage.pair()
    peer.write(close(code, String(code)))
    await stage.finish(peer)
  })
}

same("close() after the peer's Close has been answered changes nothing", async (stage) => {
  const { peer, ws } = await stage.pair()
  peer.write(close(1000, 'theirs'))
  await stage.until(() => ws.readyState !== ws.OPEN, 'the Close')
  ws.close(4000, 'mine')
  await stage.finish(peer)
  stage.call('close', () => ws.close(5))
})

same('both ends close at once', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.close(4001, 'mine')
  peer.write(close(4002, 'theirs'))
  await stage.finish(peer)
})

same('close() twice sends one Close', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.close(4001)
  stage.call('again', () => ws.close(4002))
  stage.call('with what is wrong', () => ws.close(-1))
  peer.write(close(4001))
  await stage.finish(peer)
})

same('what was sent before close() arrives before the Close', async (stage) => {
  const { peer, ws } = await stage.pair()
  for (let at = 0; at < 5; at++) ws.send(`message ${at}`, (error) => stage.note('sent', error ?? 'well'))
  ws.close(1000)
  await stage.frames(peer, 6)
  peer.write(close(1000))
  await stage.finish(peer)
})

same('closeTimeout ends a connection whose peer does not answer', async (stage) => {
  const { peer, ws } = await stage.pair({ closeTimeout: 40 })
  ws.close(4000, 'mine')
  await stage.noted('close')
  await peer.end()
  stage.wire(peer)
})

same('closeTimeout ends a connection whose peer has answered and does not end', async (stage) => {
  const { peer } = await stage.pair({ closeTimeout: 40 })
  peer.write(close(1000))
  await stage.noted('close')
  stage.wire(peer)
})

same('terminate(): the states, and the turns', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.terminate()
  stage.note('after', ws.readyState)
  stage.turns('terminate')
  await stage.noted('close', 'terminate: immediate')
  ws.terminate()
  ws.close()
  stage.note('again', ws.readyState)
  await peer.end()
})

same('terminate() in the turn of the connection', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => {
    stage.watch(ws)
    ws.terminate()
    stage.note('terminated', ws.readyState)
  })
  const peer = await stage.connect(port)
  await stage.noted('close')
  await peer.end()
})

same('close() in the turn of the connection', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => {
    stage.watch(ws)
    ws.close(4001, 'no')
  })
  const peer = await stage.connect(port, [], masked(TEXT, 'early'))
  await stage.frames(peer, 1)
  peer.write(close(4001))
  await stage.finish(peer)
})

same('terminate() behind close()', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.close(4000)
  ws.terminate()
  await stage.noted('close')
  await peer.end()
})

for (const [name, leave] of [
  ['half-closes', 'end'],
  ['resets', 'resetAndDestroy'],
  ['destroys its socket', 'destroy'],
] as const) {
  same(`a peer that ${name} when nothing is under way`, async (stage) => {
    const { peer } = await stage.pair()
    peer.socket[leave]()
    await stage.noted('close')
  })

  same(`a peer that ${name} within a frame`, async (stage) => {
    const { peer } = await stage.pair()
    peer.write(Buffer.concat([masked(TEXT, 'whole'), masked(TEXT, 'cut off').subarray(0, 8)]))
    await stage.noted('message')
    peer.socket[leave]()
    await stage.noted('close')
  })

  same(`a peer that ${name} within a message in fragments`, async (stage) => {
    const { peer } = await stage.pair()
    peer.write(Buffer.concat([masked(TEXT, 'begun', false), masked(PING, 'here')]))
    await stage.noted('ping')
    peer.socket[leave]()
    await stage.noted('close')
  })

  same(`a peer that ${name} behind its Close`, async (stage) => {
    const { peer } = await stage.pair()
    peer.write(close(1000, 'bye'))
    await peer.frames(1)
    peer.socket[leave]()
    await stage.noted('close')
  })

  same(`a peer that ${name} instead of answering a Close`, async (stage) => {
    const { peer, ws } = await stage.pair()
    ws.close(1000, 'mine')
    await peer.frames(1)
    peer.socket[leave]()
    await stage.noted('close')
  })

  same(`a peer that ${name} behind a frame that is wrong`, async (stage) => {
    const { peer } = await stage.pair()
    peer.write(masked(3, 'x'))
    await peer.frames(1)
    peer.socket[leave]()
    await stage.noted('close', 'error')
  })

  same(`a peer that ${name}, without any listener`, async (stage) => {
    const { port, wss } = await stage.serve()
    const gone = new Promise<void>((resolve) => wss.on('connection', (ws) => ws.on('close', () => resolve())))
    const peer = await stage.connect(port)
    await peer.response()
    peer.socket[leave]()
    await gone
    stage.note('clients', wss.clients.size)
  })
}

same('what came before a half-close is told first', async (stage) => {
  const { peer } = await stage.pair()
  peer.write(Buffer.concat(['one', 'two', 'three'].map((text) => masked(TEXT, text))))
  peer.socket.end()
  await stage.noted('close')
})

same('after a half-close sending calls back with an Error', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('close', () => {
    ws.send('late', (error) => stage.note('sent', error))
    ws.ping('late', false, (error) => stage.note('pinged', error))
    stage.call('send without a callback', () => ws.send('late'))
    stage.note('buffered', ws.bufferedAmount)
  })
  peer.socket.end()
  await stage.noted('close', 'sent', 'pinged')
})

same("_socket's destroy() by the program", async (stage) => {
  const { peer, ws } = await stage.pair()
  const socket = Reflect.get(ws, '_socket') as import('node:net').Socket
  socket.destroy()
  stage.note('state', ws.readyState)
  await stage.noted('close')
  await peer.end()
  stage.note('after', socket.destroyed, Reflect.get(ws, '_socket') === socket)
})

same("_socket's destroy() with an error by the program", async (stage) => {
  const { ws } = await stage.pair()
  const socket = Reflect.get(ws, '_socket') as import('node:net').Socket
  socket.on('error', (error) => stage.note('socket error', error))
  socket.destroy(new Error('mine'))
  await stage.noted('close')
})

same("_socket's end() by the program", async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.send('before')
  const socket = Reflect.get(ws, '_socket') as import('node:net').Socket
  socket.end()
  await stage.finish(peer)
})

same('the turns of a closing handshake', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('message', () => stage.turns('message'))
  peer.write(Buffer.concat([masked(TEXT, 'x'), close(1000)]))
  await stage.finish(peer)
  await delay(5)
  stage.note('state', ws.readyState)
})

same('setSocket: without closeTimeout, a peer that says nothing is not waited for', async (stage) => {
  const [near, far] = duplexPair()
  const ws = stage.unconnected({})
  ws.on('close', (code, reason) => stage.note('close', code, reason))
  Reflect.apply(Reflect.get(ws, 'setSocket'), ws, [near, Buffer.alloc(0), { maxPayload: 0 }])
  stage.note('limit', Reflect.get(ws, '_closeTimeout'))
  far.resume()
  ws.close(4000, 'done')
  await stage.noted('close')
})
