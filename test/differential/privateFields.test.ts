// The fields with an underscore that programs look at, at each stage of a connection's life.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { buildFrame, close } from '../support/frames.js'
import { same } from './same.js'
import type { Options, Pair, Stage } from './stage.js'

const FIELDS = [
  '_autoPong',
  '_binaryType',
  '_closeCode',
  '_closeFrameReceived',
  '_closeFrameSent',
  '_closeMessage',
  '_closeTimeout',
  '_errorEmitted',
  '_isServer',
  '_maxPendingAutoPongs',
  '_paused',
  '_protocol',
  '_readyState',
  '_redirects',
]
const RECEIVING = [
  '_allowSynchronousEvents',
  '_isServer',
  '_maxBufferedChunks',
  '_maxFragments',
  '_maxPayload',
  '_skipUTF8Validation',
  '_totalPayloadLength',
]

const of = (value: unknown, names: readonly string[]): unknown[] =>
  names.map((name) => Reflect.get(Object(value), name))

function look(stage: Stage, ws: WebSocket, name: string): void {
  stage.note(name, ...of(ws, FIELDS))
  const extensions: Options = Reflect.get(ws, '_extensions')
  for (const [extension, value] of Object.entries(extensions))
    stage.note(extension, Reflect.get(Object(value), 'params'))
  stage.note(`${name}: timer`, Reflect.get(ws, '_closeTimer')?._idleTimeout)
}

same('the private fields of a server’s WebSocket that is closed', async (stage) => {
  const options = { closeTimeout: 4000, maxPayload: 100, maxFragments: 3, handleProtocols: () => 'chat' }
  const { ws, peer } = await stage.pair(options, ['Sec-WebSocket-Protocol: chat'])
  look(stage, ws, 'open')
  stage.note('receiver', ...of(Reflect.get(ws, '_receiver'), RECEIVING))
  stage.note('sender', Reflect.get(Reflect.get(ws, '_sender'), '_bufferedBytes'))
  ws.pause()
  ws.resume()
  ws.close(1001, 'bye')
  await delay(20)
  look(stage, ws, 'closing')
  peer.write(close(1000, 'well'))
  await stage.noted('close')
  look(stage, ws, 'closed')
})

same('the private fields of one that has failed', async (stage) => {
  const { ws, peer } = await stage.pair()
  peer.write(Buffer.from([0x85, 0]))
  await stage.noted('error')
  await delay(20)
  look(stage, ws, 'failed')
  await stage.finish(peer)
})

same('the private fields of one that compresses', async (stage) => {
  const offer = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_no_context_takeover'
  const { ws } = await stage.pair({ perMessageDeflate: { clientMaxWindowBits: 10 } }, [offer])
  look(stage, ws, 'open')
  const [first, second] = [1, 2].map(() => Reflect.get(ws, '_extensions'))
  stage.note('the same', first === second)
})

same('the private fields of a client', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => ws.close(4000, 'over'))
  const ws = new stage.module.WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
  stage.note('url', String(Reflect.get(ws, '_url')).replace(String(port), 'port'))
  look(stage, ws, 'before')
  await once(ws, 'close')
  look(stage, ws, 'after')
})

same('a private field is written', async (stage) => {
  const ws = stage.unconnected()
  Object.assign(ws, { _binaryType: 'arraybuffer', _closeTimeout: 5 })
  stage.note('written', ws.binaryType, Reflect.get(ws, '_closeTimeout'))
})

same('what a Receiver counts of a message under way', async (stage) => {
  const receiver = Reflect.construct(Reflect.get(stage.module, 'Receiver'), [
    { maxPayload: 10 },
  ]) as NodeJS.WritableStream
  const look = (name: string): void => stage.note(name, Reflect.get(receiver, '_totalPayloadLength'))
  receiver.on('message', (data: unknown) => {
    stage.note('message', data)
    look('told')
  })
  look('made')
  for (const frame of [
    buildFrame({ opcode: 1, payload: 'Hello' }),
    buildFrame({ opcode: 1, payload: 'He', fin: false }),
    buildFrame({ opcode: 9, payload: 'ping' }),
    buildFrame({ opcode: 0, payload: 'llo' }),
    buildFrame({ opcode: 2, payload: 'abcdef' }).subarray(0, 4),
  ]) {
    receiver.write(frame)
    look('taken')
  }
})

const OF_SOCKET = [
  'timeout',
  'writableEnded',
  'writableFinished',
  'readableEnded',
  'readable',
  'writable',
  'readyState',
]
const ENDS: Readonly<Record<string, (stage: Stage, pair: Pair) => void>> = {
  'this side closes': (_, { ws, peer }) => {
    ws.close()
    peer.write(close(1000))
  },
  'the peer closes': (_, { peer }) => void peer.write(close(1000)),
  'the peer ends': (_, { peer }) => void peer.socket.end(),
  'the peer breaks a rule': (_, { peer }) => void peer.write(Buffer.from([0x85, 0])),
  'it is terminated': (_, { ws }) => ws.terminate(),
}
for (const [how, end] of Object.entries(ENDS)) {
  same(`the fields of _socket, where ${how}`, async (stage) => {
    const pair = await stage.pair()
    const { ws, peer } = pair
    const socket = Reflect.get(ws, '_socket')
    stage.note('open', ...of(socket, OF_SOCKET))
    end(stage, pair)
    await delay(20)
    stage.note('ending', ...of(socket, OF_SOCKET))
    peer.socket.end()
    await stage.noted('close')
    await delay(10)
    stage.note('over', ...of(socket, OF_SOCKET), Reflect.get(ws, '_socket') === socket)
  })
}

same('a timeout that the program gives the socket stays', async (stage) => {
  const { ws, request } = await stage.pair()
  request.socket.setTimeout(5000)
  stage.note('timeout', Reflect.get(Reflect.get(ws, '_socket'), 'timeout'))
  ws.terminate()
})

same('the fields of a WebSocket’s Sender', async (stage) => {
  const { ws } = await stage.pair()
  const sender = Reflect.get(ws, '_sender')
  const note = (name: string): void => stage.note(name, ...of(sender, ['_bufferedBytes', '_firstFragment', '_state']))
  stage.note('socket', sender._socket === Reflect.get(ws, '_socket'))
  note('open')
  ws.send('a', { fin: false })
  note('amid')
  ws.send('b')
  note('whole')
  ws.send(new Blob(['abc']))
  ws.send('behind')
  note('reads')
  await delay(20)
  note('read')
})

same('frames that were made before do not wait for a Blob', async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.send(new Blob(['abc']))
  ws.send('behind')
  Reflect.get(ws, '_sender').sendFrame([Buffer.from([0x81, 1, 0x78])], (error: unknown) =>
    stage.note('sent', error ?? null),
  )
  await stage.frames(peer, 3)
})
