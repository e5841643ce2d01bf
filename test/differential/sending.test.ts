// send, ping and pong: what they take, what arrives, what they throw, and when they call back.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { masked, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

/** What is sent by one call, and what its callback is told. */
async function sent(stage: Stage, method: 'send' | 'ping' | 'pong', ...parameters: readonly unknown[]): Promise<void> {
  const { peer, ws } = await stage.pair()
  stage.call(method, () =>
    Reflect.apply(ws[method], ws, [...parameters, (error: unknown) => stage.note('called back', error ?? 'well')]),
  )
  stage.note('returned')
  ws.send('end')
  await peer.until(() => peer.receivedFrames.at(-1)?.payload.toString() === 'end', 'the end')
  await stage.quiet(10)
  stage.wire(peer)
  await stage.drop(peer)
}

const words = new TextEncoder().encode('words')
const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ['a text', 'text'],
  ['an empty text', ''],
  ['a text of all kinds of characters', 'aé€😀\ud800'],
  ['a Buffer', Buffer.from('buffer')],
  ['an empty Buffer', Buffer.alloc(0)],
  ['a Uint8Array', words],
  ['a part of an ArrayBuffer', new Uint8Array(words.buffer, 1, 3)],
  ['a Uint16Array', new Uint16Array([1, 2, 3])],
  ['a DataView', new DataView(words.buffer, 2, 2)],
  ['an ArrayBuffer', new Uint8Array([5, 6]).buffer],
  ['a SharedArrayBuffer', new SharedArrayBuffer(3)],
  ['a Blob', new Blob(['of ', 'two'])],
  ['an empty Blob', new Blob([])],
  ['a number', 5],
  ['0', 0],
  ['NaN', Number.NaN],
  ['null', null],
  ['undefined', undefined],
  ['false', false],
  ['true', true],
  ['a list of numbers', [1, 2, 300]],
  ['an object', { a: 1 }],
  ['an object with toString', { toString: () => 'x' }],
  ['a String object', new String('boxed')],
  ['a Date', new Date(0)],
  ['a BigInt', 5n],
  ['a symbol', Symbol('x')],
  ['what a Buffer is as JSON', { type: 'Buffer', data: [1, 2] }],
]

for (const [name, value] of VALUES) {
  same(`send takes ${name} or throws`, (stage) => sent(stage, 'send', value))
  same(`ping takes ${name} or throws`, (stage) => sent(stage, 'ping', value))
}

for (const options of [
  { binary: true },
  { binary: false },
  { binary: undefined },
  { compress: true },
  { compress: undefined },
  { fin: true },
  {},
  null,
  undefined,
]) {
  for (const value of ['text', Buffer.from('bytes')]) {
    same(`send of ${typeof value === 'string' ? 'text' : 'bytes'} with ${JSON.stringify(options)}`, (stage) =>
      sent(stage, 'send', value, options),
    )
  }
}

same('fragments: the kind is the first one’s, and other messages come after the last', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.send('one ', { fin: false })
  ws.ping('between')
  ws.send(Buffer.from('two '), { fin: false, binary: true })
  ws.send('', { fin: false })
  ws.send('three', { fin: true })
  ws.send(Buffer.from('four'), { fin: false })
  ws.send(Buffer.alloc(70_000, 5), { fin: true, binary: false })
  ws.send('after')
  await stage.frames(peer, 8)
  await stage.drop(peer)
})

same('the callbacks of many sends come in order, none within the call', async (stage) => {
  const { peer, ws } = await stage.pair()
  let inside = true
  for (let at = 0; at < 20; at++) {
    const data = at % 3 === 0 ? Buffer.alloc(at * 4000, at) : `message ${at}`
    ws.send(data, (error) => stage.note('sent', at, error ?? 'well', inside))
  }
  ws.ping('p', false, (error) => stage.note('pinged', error ?? 'well', inside))
  Reflect.apply(ws.pong, ws, ['q', (error: unknown) => stage.note('ponged', error ?? 'well', inside)])
  inside = false
  await stage.frames(peer, 22)
  await stage.noted(...new Array<string>(20).fill('sent'), 'pinged', 'ponged')
  await stage.drop(peer)
})

same('the callback of a Blob keeps the order of what is sent', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.send('before', () => stage.note('before'))
  Reflect.apply(ws.send, ws, [new Blob(['blob']), () => stage.note('the blob')])
  stage.note('buffered', ws.bufferedAmount > 0)
  ws.send('behind', () => stage.note('behind'))
  ws.close(1000)
  await stage.frames(peer, 4)
  await stage.noted('before', 'the blob', 'behind')
  await peer.destroy()
  await stage.noted('close')
})

same('what was sent before terminate() leaves, and its callbacks say so', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.send('before', (error) => stage.note('sent', error ?? 'well'))
  ws.send(Buffer.alloc(40_000), (error) => stage.note('sent', error ?? 'well'))
  ws.terminate()
  await stage.frames(peer, 2)
  await stage.noted('sent', 'sent', 'close')
})

same('a WebSocket that is terminated when it is told of has been opened for its peer', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => {
    ws.send('hello')
    ws.terminate()
  })
  await stage.frames(await stage.connect(port), 1)
})

same('what is sent when _socket is destroyed has an error for its callback', async (stage) => {
  const { ws } = await stage.pair()
  const { _socket: socket } = ws as unknown as { _socket: Duplex }
  socket.destroy()
  ws.send('after', (error) => stage.note('sent', error instanceof Error))
  await stage.noted('sent', 'close')
})

same('a Blob that is being read at terminate() is not sent, nor what is behind it', async (stage) => {
  const { ws } = await stage.pair()
  Reflect.apply(ws.send, ws, [new Blob(['blob']), (error: unknown) => stage.note('the blob', error ?? 'well')])
  ws.send('behind', (error) => stage.note('behind', error ?? 'well'))
  ws.terminate()
  await stage.noted('the blob', 'behind')
})

for (const parameters of [
  [],
  ['data'],
  ['data', true],
  ['data', false],
  ['x'.repeat(125)],
  ['x'.repeat(126)],
  ['é'.repeat(63)],
  [Buffer.alloc(126)],
  [new Blob(['x'.repeat(126)])],
  [undefined, undefined],
  [null, false],
]) {
  const shown = parameters
    .map((value) => (typeof value === 'string' ? value.slice(0, 9) : Buffer.isBuffer(value) ? 'bytes' : String(value)))
    .join(', ')
  for (const method of ['ping', 'pong'] as const) {
    const unmasked = parameters.map((value) => (value === true ? false : value))
    same(`${method}(${shown}) and a callback`, (stage) => sent(stage, method, ...unmasked))
  }
}

same('ping and pong without any argument', async (stage) => {
  const { peer, ws } = await stage.pair()
  stage.call('ping', () => ws.ping())
  stage.call('pong', () => ws.pong())
  stage.call('ping with a number', () => ws.ping(7))
  await stage.frames(peer, 3)
  await stage.drop(peer)
})

for (const method of ['send', 'ping', 'pong'] as const) {
  same(`${method} before there is a connection throws`, async (stage) => {
    const ws = stage.unconnected()
    stage.note('state', ws.readyState)
    stage.call(method, () => ws[method]('x'))
    stage.call('with a callback', () => Reflect.apply(ws[method], ws, ['x', () => stage.note('called back')]))
    await stage.quiet(5)
  })

  same(`${method} while closing calls back in a tick, and counts`, async (stage) => {
    const { peer, ws } = await stage.pair()
    ws.close()
    await peer.frames(1)
    stage.note('buffered', ws.bufferedAmount)
    stage.turns('turn')
    Reflect.apply(ws[method], ws, ['late', (error: unknown) => stage.note('called back', error)])
    Reflect.apply(ws[method], ws, [Buffer.alloc(10)])
    stage.note('buffered', ws.bufferedAmount)
    await stage.noted('called back', 'turn: immediate')
    await stage.drop(peer)
    Reflect.apply(ws[method], ws, [5, (error: unknown) => stage.note('when closed', error)])
    await stage.noted('when closed')
  })
}

same('what waits when the peer is gone calls back with an Error, in order, before the close', async (stage) => {
  const { peer, ws } = await stage.pair()
  peer.socket.pause()
  for (let at = 0; at < 3; at++)
    ws.send(Buffer.alloc(8 << 20), (error) => stage.note(`sent ${at}`, error !== undefined))
  ws.send('small', (error) => stage.note('sent 3', error !== undefined))
  await stage.quiet(20)
  stage.note('some waits', ws.bufferedAmount > 0)
  ws.terminate()
  await stage.noted('close', 'sent 3')
})

same('send may be replaced on the instance, and on the class of a program', async (stage) => {
  const { peer, ws } = await stage.pair()
  const send = ws.send.bind(ws)
  ws.send = (data: unknown) => send(`[${String(data)}]`)
  ws.send('mine')
  await stage.frames(peer, 1)
  await stage.drop(peer)
})

same('bytes that are changed after the callback arrive as they were', async (stage) => {
  const { peer, ws } = await stage.pair()
  for (const length of [10, 1000, 20_000, 200_000]) {
    const data = Buffer.alloc(length, 1)
    await new Promise((resolve) => ws.send(data, resolve))
    data.fill(2)
  }
  await stage.frames(peer, 4)
  await stage.drop(peer)
})

same('an echo in the listener, of bytes as text', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
  peer.write(Buffer.concat([masked(TEXT, 'one'), masked(2, 'two'), masked(TEXT, '')]))
  await stage.frames(peer, 3)
  await stage.drop(peer)
})

same('a callback that is no function, for what can’t be sent any more', async (stage) => {
  const { peer, ws } = await stage.pair()
  await stage.drop(peer)
  for (const callback of [5, 'x', {}, null, 0]) {
    stage.call('send', () => ws.send('a', {}, callback as never))
    stage.call('ping', () => ws.ping('a', false, callback as never))
  }
})

same('sending in a listener of close, and of an error, harms nothing', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('error', () => stage.call('send', () => ws.send('x')))
  ws.on('close', () => stage.call('send', () => ws.send('x')))
  peer.write(masked(3, ''))
  await stage.finish(peer)
})
