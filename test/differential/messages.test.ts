// What a peer sends, and what the listeners are told: values, order and turns.
import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { BINARY, CONTINUATION, close, masked, PING, PONG, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

const { concat } = Buffer
const KINDS = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const

/** A pair to whose server's end these bytes are sent in one segment, until there are as many notes of messages. */
async function told(stage: Stage, data: readonly Uint8Array[], messages: number, options = {}): Promise<void> {
  const { peer } = await stage.pair(options)
  peer.write(concat(data))
  await stage.noted(...new Array<string>(messages).fill('message'))
  await stage.drop(peer)
}

for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]) {
  same(`a text and a binary message of ${length} bytes`, (stage) =>
    told(stage, [masked(TEXT, 'x'.repeat(length)), masked(BINARY, Buffer.alloc(length, 7))], 2),
  )
}

same('text with characters of all lengths is bytes', (stage) => told(stage, [masked(TEXT, 'aé€😀\u0000')], 1))

same('a message in fragments, empty ones too, with control frames between them', (stage) =>
  told(
    stage,
    [
      masked(TEXT, 'one ', false),
      masked(PING, 'p'),
      masked(CONTINUATION, '', false),
      masked(CONTINUATION, 'two ', false),
      masked(PONG, 'q'),
      masked(CONTINUATION, 'three'),
      masked(BINARY, '', false),
      masked(CONTINUATION, ''),
    ],
    2,
  ),
)

same('a character that is cut by a fragment is whole', (stage) => {
  const text = Buffer.from('a😀b')
  return told(stage, [masked(TEXT, text.subarray(0, 3), false), masked(CONTINUATION, text.subarray(3))], 1)
})

for (const kind of KINDS) {
  same(`binaryType '${kind}': binary, fragments, empty, text, ping and pong`, async (stage) => {
    const { peer, ws } = await stage.pair()
    ws.binaryType = kind as 'nodebuffer'
    ws.on('message', async (data: unknown) => {
      if (data instanceof Blob) stage.note('blob', Buffer.from(await data.arrayBuffer()))
    })
    stage.note('binaryType', ws.binaryType)
    if (kind === 'fragments') joinFragments(stage, ws)
    const sent = [
      masked(BINARY, 'whole'),
      masked(BINARY, 'in ', false),
      masked(CONTINUATION, 'two'),
      masked(BINARY, ''),
      masked(TEXT, 'text'),
      masked(TEXT, 'text ', false),
      masked(CONTINUATION, 'in two'),
      masked(PING, 'ping'),
      masked(PONG, 'pong'),
    ]
    for (const frame of sent) {
      peer.write(frame)
      await delay(3)
    }
    await stage.noted('pong')
    if (kind === 'blob') await stage.noted('blob', 'blob', 'blob')
    await stage.drop(peer)
  })
}

/** How many Buffers a message is in is for nobody to rely on: here it is one. */
function joinFragments(stage: Stage, ws: WebSocket): void {
  ws.removeAllListeners('message')
  ws.on('message', (data, isBinary) => {
    stage.note('message', Array.isArray(data), Array.isArray(data) ? concat(data) : data, isBinary)
  })
}

same('binaryType changes for the next message, and stays what it was for a name that is none', async (stage) => {
  const { peer, ws } = await stage.pair()
  for (const kind of [...KINDS, 'text', '', undefined, 'NodeBuffer']) {
    Reflect.set(ws, 'binaryType', kind)
    stage.note('binaryType', ws.binaryType)
  }
  const told: 'message'[] = []
  for (const kind of ['nodebuffer', 'fragments', 'arraybuffer'] as const) {
    ws.binaryType = kind
    peer.write(masked(BINARY, kind))
    told.push('message')
    await stage.noted(...told)
  }
  await stage.drop(peer)
})

same('binaryType may change between two messages of one segment', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('message', () => {
    ws.binaryType = 'arraybuffer'
  })
  peer.write(concat([masked(BINARY, 'one'), masked(BINARY, 'two')]))
  await stage.noted('message', 'message')
  await stage.drop(peer)
})

same('an ArrayBuffer holds the message and nothing else', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.binaryType = 'arraybuffer'
  ws.on('message', (data) => stage.note('length', (data as ArrayBuffer).byteLength))
  peer.write(concat([masked(BINARY, 'one'), masked(BINARY, Buffer.alloc(5000, 1))]))
  await stage.noted('length', 'length')
  await stage.drop(peer)
})

same('what has been told may be kept, and changed, without harm to other messages', async (stage) => {
  const { peer, ws } = await stage.pair()
  const kept: Buffer[] = []
  ws.on('message', (data) => {
    kept.push(data as Buffer)
    if (kept.length % 2 === 0) (data as Buffer).fill(0)
  })
  for (let round = 0; round < 5; round++) {
    peer.write(concat(Array.from({ length: 20 }, (_, at) => masked(TEXT, `message ${round} ${at} ${'y'.repeat(at)}`))))
    await delay(3)
  }
  await stage.until(() => kept.length === 100, 'all messages')
  stage.note('kept', ...kept)
  await stage.drop(peer)
})

same('the messages of one segment are told in one turn, without microtasks between them', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('message', (data) => {
    queueMicrotask(() => stage.note(`microtask of ${data}`))
    process.nextTick(() => stage.note(`tick of ${data}`))
  })
  peer.write(concat(['one', 'two', 'three'].map((text) => masked(TEXT, text))))
  await stage.noted('message', 'message', 'message')
  await stage.quiet()
  await stage.drop(peer)
})

same('with allowSynchronousEvents: false each message, ping and pong has a turn of its own', async (stage) => {
  const { peer, ws } = await stage.pair({ allowSynchronousEvents: false })
  for (const event of ['message', 'ping', 'pong']) {
    ws.on(event, (data: Buffer) => {
      queueMicrotask(() => stage.note(`microtask of ${data}`))
      process.nextTick(() => stage.note(`tick of ${data}`))
    })
  }
  peer.write(
    concat([masked(TEXT, 'one'), masked(PING, 'two'), masked(PONG, 'three'), masked(BINARY, 'four'), close(1000)]),
  )
  await stage.finish(peer)
})

same('a listener that is added while messages of a segment are told hears the rest', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.once('message', () => {
    ws.on('message', (data) => stage.note('late', data))
  })
  peer.write(concat(['one', 'two', 'three'].map((text) => masked(TEXT, text))))
  await stage.noted('late', 'late')
  await stage.drop(peer)
})

same('messages without a listener are lost, and the connection goes on', async (stage) => {
  const { wss, port } = await stage.serve()
  wss.on('connection', (ws) => {
    ws.on('close', (...values) => stage.note('close', ...values))
    setTimeout(() => ws.on('message', (data) => stage.note('message', data)), 25)
  })
  const peer = await stage.connect(port, [], masked(TEXT, 'lost'))
  await delay(60)
  peer.write(masked(TEXT, 'heard'))
  await stage.noted('message')
  await stage.drop(peer)
})

same('close() in a listener: the other messages of the segment are told', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.once('message', () => {
    ws.close()
    stage.note('after close', ws.readyState)
  })
  peer.write(concat(['one', 'two', 'three'].map((text) => masked(TEXT, text))))
  await stage.noted('message', 'message', 'message')
  await stage.drop(peer)
})

// Behind pause() and terminate(), ws goes on with the segment that it has read. Here nothing is told until resume(), and
// nothing at all behind terminate().
same('pause() in a listener: the other messages of the segment are told, in order', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.once('message', () => ws.pause())
  peer.write(concat(['one', 'two', 'three'].map((text) => masked(TEXT, text))))
  await stage.noted('message')
  await stage.quiet()
  ws.resume()
  await stage.noted('message', 'message', 'message')
  await stage.drop(peer)
})

same('terminate() in a listener', async (stage) => {
  const { port, wss } = await stage.serve()
  wss.on('connection', (ws) => {
    ws.once('message', (data) => {
      stage.note('first message', data)
      ws.terminate()
      stage.note('after terminate', ws.readyState)
    })
    ws.on('close', (...values) => stage.note('close', ...values))
  })
  const peer = await stage.connect(port)
  peer.write(concat(['one', 'two', 'three'].map((text) => masked(TEXT, text))))
  await stage.noted('close')
  await peer.end()
})

same("messages behind close() are told until the peer's Close comes, and none behind that", async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.close(1001, 'bye')
  await stage.frames(peer, 1)
  peer.write(concat([masked(TEXT, 'one'), masked(PING, 'two')]))
  await delay(10)
  peer.write(concat([masked(TEXT, 'three'), close(1001), masked(TEXT, 'four')]))
  await stage.finish(peer)
})

same("'message' may be emitted by the program", async (stage) => {
  const { peer, ws } = await stage.pair()
  stage.note('emitted', ws.emit('message', Buffer.from('mine'), true), ws.emit('nothing'))
  await stage.drop(peer)
})

same('ping and pong: both are told with their bytes, and the pong has left before', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('ping', () => ws.send('after'))
  peer.write(concat([masked(PING, ''), masked(PING, 'x'.repeat(125)), masked(PONG, 'unasked')]))
  await stage.frames(peer, 4)
  await stage.drop(peer)
})

same('autoPong: false answers no ping', async (stage) => {
  const { peer, ws } = await stage.pair({ autoPong: false })
  peer.write(concat([masked(PING, 'one'), masked(PING, 'two'), masked(TEXT, 'done')]))
  await stage.noted('message')
  ws.pong('mine')
  await stage.frames(peer, 1)
  await stage.drop(peer)
})

same('a ping behind close() is told, and not answered', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.close()
  peer.write(concat([masked(PING, 'one'), close()]))
  await stage.finish(peer)
})

same('a frame in pieces of a byte', async (stage) => {
  const { peer } = await stage.pair()
  for (const byte of concat([masked(TEXT, 'slowly'), close(1000, 'done')])) {
    peer.write(Buffer.of(byte))
    await delay(1)
  }
  await stage.finish(peer)
})
