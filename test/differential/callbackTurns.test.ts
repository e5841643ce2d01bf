// In which turn the callbacks of `send` come, against ticks and microtasks that were put off after it, and what a program sees
// meanwhile.
import { AsyncLocalStorage } from 'node:async_hooks'
import { Buffer } from 'node:buffer'
import { duplexPair } from '../support/duplexPair.js'
import { masked, TEXT } from '../support/frames.js'
import { same } from './same.js'

same('a callback comes before the ticks that follow its send, in a listener', async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.on('message', () => {
    ws.send('answer', () => stage.note('sent'))
    stage.turns('after')
  })
  peer.write(masked(TEXT, 'x'))
  await stage.noted('sent', 'after: immediate')
})

same('a callback comes before the ticks that follow its send, outside of events', async (stage) => {
  const { ws } = await stage.pair()
  ws.ping('x', false, () => stage.note('sent'))
  stage.turns('after')
  await stage.noted('sent', 'after: immediate')
})

same('a callback that sends again', async (stage) => {
  const { ws } = await stage.pair()
  ws.send('one', () => {
    stage.note('first')
    ws.send('two', () => stage.note('second'))
    stage.turns('between')
  })
  await stage.noted('second', 'between: immediate')
})

same('a callback comes before the error of a frame that follows', async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.on('message', () => ws.send('answer', (error) => stage.note('sent', error)))
  peer.write(Buffer.concat([masked(TEXT, 'x'), masked(3, 'wrong')]))
  await stage.noted('sent', 'error')
})

same('the Close frame of this side has been sent when its callback is due', async (stage) => {
  const { ws, peer } = await stage.pair()
  const look = (name: string): void => stage.note(name, Reflect.get(ws, '_closeFrameSent'))
  ws.on('error', () => look('in error'))
  ws.close(1000)
  look('at once')
  process.nextTick(() => look('tick'))
  peer.write(masked(3, 'wrong'))
  await stage.noted('error')
  look('later')
})

same('the Close frame of this side that answers a broken rule', async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.on('error', () => stage.note('in error', Reflect.get(ws, '_closeFrameSent')))
  peer.write(masked(3, 'wrong'))
  await stage.noted('in error')
})

same('what is buffered in the turn of the connection', async (stage) => {
  const { port, wss } = await stage.serve({ perMessageDeflate: true })
  wss.on('connection', (ws) => {
    ws.send('hello')
    stage.note('buffered', ws.bufferedAmount)
  })
  await stage.connect(port, ['Sec-WebSocket-Extensions: permessage-deflate'])
  await stage.noted('buffered')
})

same('short messages, which are not compressed, and the end', async (stage) => {
  const options = { perMessageDeflate: { serverNoContextTakeover: true, threshold: 100 } }
  const { ws } = await stage.pair(options, ['Sec-WebSocket-Extensions: permessage-deflate'])
  ws.send('short', (error) => stage.note('sent', error))
  ws.terminate()
  await stage.noted('sent', 'close')
})

same('a callback sees an open WebSocket before the error of a frame that follows', async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.on('message', () => ws.send('answer', () => stage.note('sent', ws.readyState)))
  ws.on('error', () => stage.note('failed', ws.readyState))
  peer.write(Buffer.concat([masked(TEXT, 'x'), masked(3, 'wrong'), masked(TEXT, 'never')]))
  await stage.noted('sent', 'failed')
})

same('callbacks of two WebSockets, in the order of their sends', async (stage) => {
  const [one, other] = [await stage.pair(), await stage.pair()]
  one.ws.on('message', () => {
    for (const name of ['a', 'b', 'c']) {
      one.ws.send(name, () => stage.note(`one ${name}`))
      process.nextTick(() => stage.note(`tick ${name}`))
      other.ws.send(name, () => stage.note(`other ${name}`))
    }
  })
  one.peer.write(masked(TEXT, 'x'))
  await stage.noted('one c', 'other c', 'tick c')
})

same('a callback runs in the async context of its send', async (stage) => {
  const { ws, peer } = await stage.pair()
  const names = new AsyncLocalStorage<string>()
  const send = (name: string): void => ws.send(name, () => stage.note('sent', name, names.getStore()))
  ws.on('message', () => {
    send('before')
    names.run('inner', () => send('inside'))
    names.run('other', () => send('in another'))
    send('behind')
  })
  peer.write(masked(TEXT, 'x'))
  await stage.noted('sent', 'sent', 'sent', 'sent')
})

same('the callback of what is sent over a Duplex that has been destroyed', async (stage) => {
  const [near] = duplexPair()
  const ws = stage.watch(stage.unconnected())
  Reflect.apply(Reflect.get(ws, 'setSocket'), ws, [near, Buffer.alloc(0), { maxPayload: 0 }])
  await stage.quiet(5)
  near.destroy()
  ws.send('x', (error) => stage.note('sent', error instanceof Error))
  await stage.noted('sent', 'close')
})

same('callbacks that a slow reader keeps waiting come in order', async (stage) => {
  const { ws, peer } = await stage.pair()
  const sent = (name: string) => (error?: Error | null) => stage.note('sent', name, error)
  peer.socket.pause()
  for (const name of ['a', 'b', 'c']) ws.send(Buffer.alloc(8 * 1024 * 1024, 7), sent(name))
  ws.send('short', sent('short'))
  await stage.quiet()
  ws.send('last', sent('last'))
  peer.socket.resume()
  await stage.noted('sent', 'sent', 'sent', 'sent', 'sent')
})

for (const deferred of [false, true]) {
  const options = { allowSynchronousEvents: !deferred }
  same(
    `the error of a frame comes behind ticks of ticks${deferred ? ', where events have turns of their own' : ''}`,
    async (stage) => {
      const { ws, peer } = await stage.pair(options)
      ws.on('message', () => {
        process.nextTick(() => process.nextTick(() => stage.note('tick of a tick', ws.readyState)))
        ws.send('answer', () => process.nextTick(() => stage.note('tick of a callback', ws.readyState)))
        stage.turns('after')
      })
      peer.write(Buffer.concat([masked(TEXT, 'x'), masked(3, 'wrong')]))
      await stage.noted('error', 'tick of a callback', 'after: immediate')
    },
  )
}

same('what is written to the socket calls back between the messages around it', async (stage) => {
  const { ws, request } = await stage.pair()
  ws.send('before', () => {
    stage.note('before')
    request.socket.write(Buffer.from('8a0161', 'hex'), () => stage.note('written'))
    ws.send(Buffer.alloc(65_536), () => stage.note('behind'))
    stage.turns('after')
  })
  await stage.noted('behind', 'after: immediate')
})
