// Sockets that are no net.Socket: a Duplex to handleUpgrade, setSocket on either side, and streams made of a WebSocket.
import { Buffer } from 'node:buffer'
import { Duplex, type DuplexOptions } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { duplexPair } from '../support/duplexPair.js'
import { buildFrame, close, masked, PING, TEXT } from '../support/frames.js'
import { collected, noteFrames, over } from './duplexes.js'
import { same } from './same.js'
import { bytes } from './show.js'

same('a Duplex carries messages both ways', async (stage) => {
  const [near, far] = duplexPair()
  const read = collected(far)
  const ws = over(stage, near)
  stage.note('_socket', ws !== undefined && Reflect.get(ws, '_socket') === near)
  ws?.send('hello')
  far.write(Buffer.concat([masked(TEXT, 'there'), masked(PING, 'p')]))
  await stage.noted('message', 'ping')
  ws?.close(1000)
  await delay(5)
  far.write(close(1000))
  far.on('end', () => far.end())
  await stage.noted('close')
  noteFrames(stage, read.all())
})

same('a Duplex: the head is told from the next tick on', async (stage) => {
  const [near, far] = duplexPair()
  collected(far)
  over(stage, near, masked(TEXT, 'in the head'))
  stage.note('returned')
  await stage.noted('message')
  far.destroy()
  await stage.noted('close')
})

same('a Duplex that has been read in part delivers the rest', async (stage) => {
  const [near, far] = duplexPair()
  collected(far)
  far.write(masked(TEXT, 'early'))
  await delay(5)
  over(stage, near)
  await stage.noted('message')
  far.end()
  await stage.noted('close')
})

for (const [name, act] of [
  ['is destroyed', (near: Duplex) => near.destroy()],
  ['is destroyed with an error', (near: Duplex) => near.destroy(new Error('mine'))],
  ['ends', (_: Duplex, far: Duplex) => far.end()],
] as const) {
  same(`a Duplex that ${name}`, async (stage) => {
    const [near, far] = duplexPair()
    const read = collected(far)
    near.on('error', () => undefined)
    over(stage, near)
    act(near, far)
    await stage.noted('close')
    noteFrames(stage, read.all())
  })
}

for (const [name, options] of [
  [
    'fails its writes',
    {
      write: (_: unknown, __: unknown, done: (error: Error) => void) => done(new Error('full')),
    },
  ],
  [
    'throws from its writes',
    {
      write: () => {
        throw new Error('thrown')
      },
    },
  ],
] as const) {
  same(`a Duplex that ${name}`, async (stage) => {
    const near = new Duplex({ read() {}, ...(options as DuplexOptions) })
    near.on('error', () => undefined)
    const ws = over(stage, near)
    stage.call('send', () => ws?.send('x', (error) => stage.note('sent', error instanceof Error)))
    await delay(20)
    stage.note('state', ws?.readyState, near.destroyed)
  })
}

same('setSocket as the client’s side: frames are masked, and must come without', async (stage) => {
  const [near, far] = duplexPair()
  const read = collected(far)
  const ws = stage.watch(stage.unconnected({ isServer: false }))
  Reflect.set(ws, '_isServer', false)
  Reflect.apply(Reflect.get(ws, 'setSocket'), ws, [near, Buffer.alloc(0), { maxPayload: 0 }])
  stage.note('state', ws.readyState)
  ws.send('hello')
  far.write(buildFrame({ opcode: TEXT, payload: 'there' }))
  await stage.noted('message')
  await delay(5)
  stage.note('masked', read.all().readUInt8(1) & 0x80)
  far.write(masked(TEXT, 'wrong'))
  await stage.noted('error')
  far.destroy()
  await stage.noted('close')
})

same('setSocket: both sides over one pair of Duplexes', async (stage) => {
  const [near, far] = duplexPair()
  const sides = [near, far].map((socket, at) => {
    const ws = stage.unconnected({ autoPong: true, closeTimeout: 100 })
    Reflect.set(ws, '_isServer', at === 0)
    ws.on('message', (data, isBinary) => stage.note(`message ${at}`, data, isBinary))
    ws.on('pong', (data) => stage.note(`pong ${at}`, data))
    ws.on('close', (code, reason) => stage.note(`close ${at}`, code, reason))
    Reflect.apply(Reflect.get(ws, 'setSocket'), ws, [socket, Buffer.alloc(0), { maxPayload: 0 }])
    return ws
  })
  sides[0]?.send('to the client')
  await stage.noted('message 1')
  sides[1]?.send(Buffer.alloc(70_000, 1))
  await stage.noted('message 0')
  sides[1]?.ping('client')
  await stage.noted('pong 1')
  sides[0]?.ping('server')
  await stage.noted('pong 0')
  sides[1]?.close(4000, 'done')
  await stage.noted('close 0', 'close 1')
  stage.log.splice(4, 2, ...stage.log.slice(4).sort())
})

same('setSocket on a Duplex that somebody reads, within the listener that has read the answer', async (stage) => {
  const [near, far] = duplexPair()
  const ws = stage.unconnected({ autoPong: true })
  Reflect.set(ws, '_isServer', false)
  ws.on('message', (data) => stage.note('message', data))
  const answer = (chunk: Buffer): void => {
    stage.note('the answer', chunk.toString())
    Reflect.apply(Reflect.get(ws, 'setSocket'), ws, [near, Buffer.alloc(0), { maxPayload: 0 }])
    near.removeListener('data', answer)
  }
  far.write('answer')
  far.write(buildFrame({ opcode: TEXT, payload: 'one' }))
  far.write(buildFrame({ opcode: TEXT, payload: 'two' }))
  near.on('data', answer)
  await stage.noted('message', 'message')
})

same('a stream of a WebSocket: reading, writing, ending', async (stage) => {
  const { ws, peer } = await stage.pair()
  const stream = stage.module.createWebSocketStream(ws, { encoding: 'utf8' })
  for (const event of ['data', 'end', 'error', 'close', 'finish']) {
    stream.on(event, (...values: unknown[]) => stage.note(`stream ${event}`, ...values))
  }
  peer.write(Buffer.concat([masked(TEXT, 'text'), masked(2, 'bytes')]))
  stream.write('out')
  stream.write(Buffer.from('more'))
  await stage.frames(peer, 2)
  await stage.noted('stream data', 'stream data')
  stream.end('last')
  await stage.frames(peer, 4)
  peer.write(close(1000))
  peer.socket.end()
  await stage.noted('close', 'stream close')
})

same("a stream ends when the peer has closed, and is destroyed with the connection's error", async (stage) => {
  for (const frame of [close(1000), masked(3, '')]) {
    const { ws, peer } = await stage.pair()
    const stream = stage.module.createWebSocketStream(ws)
    for (const event of ['end', 'error', 'close'] as const) {
      stream.on(event, (...values: unknown[]) => stage.note(`stream ${event}`, ...values))
    }
    stream.resume()
    peer.write(frame)
    await peer.end()
    peer.socket.end()
    await stage.quiet(40)
    stage.note('destroyed', stream.destroyed, stream.closed, ws.readyState)
  }
})

same('destroying a stream terminates the connection', async (stage) => {
  const { ws, peer } = await stage.pair()
  const stream = stage.module.createWebSocketStream(ws)
  stream.on('close', () => stage.note('stream close'))
  stream.on('error', (error) => stage.note('stream error', error))
  stream.destroy(new Error('mine'))
  await stage.noted('close', 'stream close')
  await peer.end()
})

same('a stream that nobody reads holds the peer back', async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.removeAllListeners('message')
  const stream = stage.module.createWebSocketStream(ws, { readableHighWaterMark: 100 })
  for (let at = 0; at < 20; at++) peer.write(masked(2, Buffer.alloc(50, at)))
  await stage.quiet()
  stage.note('paused', ws.isPaused)
  let read = 0
  for await (const chunk of stream) {
    read += (chunk as Buffer).length
    if (read === 1000) break
  }
  stage.note('read', read)
  await stage.noted('close')
})

same('a stream in objectMode, and with readableObjectMode', async (stage) => {
  const { ws, peer } = await stage.pair()
  const stream = stage.module.createWebSocketStream(ws, { readableObjectMode: true })
  stream.on('data', (data) => stage.note('data', data))
  peer.write(Buffer.concat([masked(TEXT, 'text'), masked(TEXT, ''), masked(2, 'bytes')]))
  await stage.noted('data', 'data')
  await stage.quiet(10)
  await stage.drop(peer)
})

same('a stream before the connection is open throws nothing', async (stage) => {
  const ws = stage.unconnected()
  const stream = stage.module.createWebSocketStream(ws)
  stage.note('stream', stream.readable, stream.writable)
  const [near, far] = duplexPair()
  const read = collected(far)
  stream.write('waits')
  Reflect.apply(Reflect.get(ws, 'setSocket'), ws, [near, Buffer.alloc(0), { maxPayload: 0 }])
  await stage.until(() => read.all().length >= 7, 'the frame')
  noteFrames(stage, read.all())
})

same('a stream carries much, through a pipeline that echoes it', async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.removeAllListeners('message')
  const stream = stage.module.createWebSocketStream(ws)
  const piped = pipeline(stream, stream).catch((error) => stage.note('pipeline', error))
  const size = 100_000
  for (let at = 0; at < 30; at++) peer.write(masked(2, Buffer.alloc(size, at)))
  await stage.until(
    () => peer.receivedFrames.reduce((sum, { payload }) => sum + payload.length, 0) === 30 * size,
    'all',
  )
  stage.note('frames', ...peer.receivedFrames.map(({ opcode, payload }) => [opcode, bytes(payload)]))
  peer.write(close(1000))
  peer.socket.end()
  await stage.noted('close')
  await piped
})
