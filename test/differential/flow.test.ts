// Backpressure in both directions: pause, resume, bufferedAmount, and the socket below, which programs reach through
// _socket.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { close, masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'

function socketOf(ws: WebSocket): Socket {
  return Reflect.get(ws, '_socket')
}

same('pause() keeps what comes until resume()', async (stage) => {
  const { peer, ws } = await stage.pair()
  stage.note('paused', ws.isPaused)
  ws.pause()
  stage.note('paused', ws.isPaused)
  peer.write(Buffer.concat([masked(TEXT, 'one'), masked(PING, 'two')]))
  await stage.quiet()
  stage.note('resume')
  ws.resume()
  stage.note('paused', ws.isPaused)
  await stage.noted('message', 'ping')
  await stage.drop(peer)
})

same('pause() within a message, and in the turn of the connection', async (stage) => {
  const { port, wss } = await stage.serve()
  const opened = new Promise<WebSocket>((resolve) => {
    wss.on('connection', (ws) => {
      stage.watch(ws)
      ws.pause()
      resolve(ws)
    })
  })
  const peer = await stage.connect(port, [], masked(TEXT, 'early'))
  const ws = await opened
  await stage.quiet()
  stage.note('resume', ws.isPaused)
  ws.resume()
  await stage.noted('message')
  await stage.drop(peer)
})

same('pause() and resume() without a connection do nothing', async (stage) => {
  const none = stage.unconnected()
  stage.call('pause', () => none.pause())
  stage.call('resume', () => none.resume())
  stage.note('paused', none.isPaused)
  const { peer, ws } = await stage.pair()
  await stage.drop(peer)
  ws.pause()
  stage.note('paused', ws.isPaused)
  ws.resume()
})

same("a peer's Close behind pause() is heard after resume()", async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.pause()
  peer.write(Buffer.concat([masked(TEXT, 'last'), close(1000)]))
  await stage.quiet()
  stage.note('state', ws.readyState)
  ws.resume()
  await stage.finish(peer)
})

// What has come and was not read, ws tells at the end. Here it is lost with the connection.
for (const end of ['close', 'terminate'] as const) {
  same(`${end}() while paused`, async (stage) => {
    const { port, wss } = await stage.serve({ closeTimeout: 60 })
    let states: readonly number[] = []
    wss.on('connection', (ws) => {
      ws.pause()
      ws[end]()
      states = [ws.readyState]
      ws.on('close', () => stage.note('close', ...states, ws.readyState, ws.isPaused))
    })
    const peer = await stage.connect(port)
    peer.write(masked(TEXT, 'late'))
    await stage.noted('close')
    await peer.end()
  })
}

same('a peer that ends while paused is noticed after resume()', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.pause()
  peer.write(masked(TEXT, 'last'))
  peer.socket.end()
  await stage.quiet(30)
  stage.note('quiet', ws.readyState)
  ws.resume()
  await stage.noted('close')
})

same('bufferedAmount is 0 when all has left, and counts what waits', async (stage) => {
  const { peer, ws } = await stage.pair()
  stage.note('nothing', ws.bufferedAmount)
  await new Promise((resolve) => ws.send('x', resolve))
  stage.note('left', ws.bufferedAmount)
  peer.socket.pause()
  const size = 16 << 20
  ws.send(Buffer.alloc(size))
  ws.send(Buffer.alloc(size))
  await delay(30)
  stage.note('waits', ws.bufferedAmount > size, ws.bufferedAmount <= 2 * size + 20)
  peer.socket.resume()
  await stage.until(() => ws.bufferedAmount === 0, 'all has left')
  await stage.drop(peer)
})

same("_socket: addresses, 'drain', and that it is the request's", async (stage) => {
  const { peer, ws, request } = await stage.pair()
  const socket = socketOf(ws)
  const { address, family } = socket.address() as { address: string; family: string }
  stage.note(
    'addresses',
    socket.remoteAddress,
    socket.remoteFamily,
    address,
    family,
    socket.remotePort === peer.socket.localPort,
  )
  stage.note('same', socket === request.socket, socket.destroyed, socket.readable, socket.writable, socket.readyState)
  stage.call('setNoDelay', () => socket.setNoDelay(true) === socket)
  stage.call('setKeepAlive', () => socket.setKeepAlive(true, 1000) === socket)
  stage.call('setTimeout', () => socket.setTimeout(0) === socket)
  peer.socket.pause()
  // A socket may say so more than once, when it is given a long message in pieces.
  socket.once('drain', () => stage.note('drain'))
  ws.send(Buffer.alloc(16 << 20))
  await delay(20)
  peer.socket.resume()
  await stage.noted('drain')
  await stage.until(() => ws.bufferedAmount === 0, 'all has left')
  let isClosed = false
  socket.on('close', () => {
    isClosed = true
  })
  await stage.drop(peer)
  await stage.until(() => isClosed, 'the close of the socket')
  stage.note('after', socket.destroyed, socketOf(ws) === socket)
})

same('_socket.pause() and resume() have their effect', async (stage) => {
  const { peer, ws } = await stage.pair()
  const socket = socketOf(ws)
  socket.pause()
  stage.note('paused', socket.isPaused(), ws.isPaused)
  peer.write(masked(TEXT, 'one'))
  await stage.quiet()
  stage.note('resume')
  socket.resume()
  await stage.noted('message')
  await stage.drop(peer)
})

same('raw bytes that are written to _socket stand between the frames', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.send('before')
  socketOf(ws).write(Buffer.concat([Buffer.of(0x81, 3), Buffer.from('raw')]))
  ws.send('behind')
  await stage.frames(peer, 3)
  await stage.drop(peer)
})

same("_socket's timeout is told to the program, and ends nothing", async (stage) => {
  const { peer, ws } = await stage.pair()
  const socket = socketOf(ws)
  socket.setTimeout(20, () => stage.note('timeout', ws.readyState))
  await stage.noted('timeout')
  socket.setTimeout(0)
  await stage.drop(peer)
})

same('cork and uncork of _socket hold frames back', async (stage) => {
  const { peer, ws } = await stage.pair()
  const socket = socketOf(ws)
  socket.cork()
  ws.send('one')
  ws.send('two')
  await stage.quiet(15)
  socket.uncork()
  await stage.frames(peer, 2)
  await stage.drop(peer)
})

for (const when of ['tick', 'microtask', 'immediate', 'tick of an immediate'] as const) {
  same(`what came early is told as soon as a socket goes on, in a ${when}`, async (stage) => {
    const { port, wss } = await stage.serve()
    wss.on('connection', (ws) => {
      stage.watch(ws).pause()
      const resume = (): void => {
        ws.resume()
        stage.turns('resumed')
      }
      if (when === 'tick') process.nextTick(resume)
      else if (when === 'microtask') queueMicrotask(resume)
      else setImmediate(when === 'immediate' ? resume : () => process.nextTick(resume))
    })
    const peer = await stage.connect(port, [], masked(TEXT, 'early'))
    await stage.noted('message', 'resumed: immediate')
    await stage.drop(peer)
  })
}
