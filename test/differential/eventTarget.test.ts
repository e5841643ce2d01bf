// The second way to listen: addEventListener, and the properties that begin with `on`.
import { Buffer } from 'node:buffer'
import type { WebSocket } from 'ws'
import { close, masked, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

const MEMBERS = ['data', 'code', 'reason', 'wasClean', 'error', 'message'] as const
const EVENTS = ['open', 'message', 'error', 'close'] as const

/** Notes an event: its class, what it is about, and whose it is. */
function noteEvent(stage: Stage, ws: WebSocket, name: string, event: object): void {
  stage.note(name, event.constructor.name, Reflect.get(event, 'type'), Reflect.get(event, 'target') === ws)
  for (const member of MEMBERS) if (member in event) stage.note(member, Reflect.get(event, member))
}

same('the events of all kinds by addEventListener', async (stage) => {
  const { peer, ws } = await stage.pair()
  for (const event of EVENTS) {
    ws.addEventListener(event as 'message', (told) => noteEvent(stage, ws, `${event} listener`, told))
  }
  peer.write(Buffer.concat([masked(TEXT, 'text'), masked(2, 'bytes'), close(4000, 'because')]))
  await stage.finish(peer)
})

same('an error by addEventListener', async (stage) => {
  const { peer, ws } = await stage.pair()
  for (const event of EVENTS) {
    ws.addEventListener(event as 'message', (told) => noteEvent(stage, ws, `${event} listener`, told))
  }
  peer.write(masked(3, ''))
  await stage.finish(peer)
})

same('the events of all kinds by properties', async (stage) => {
  const { peer, ws } = await stage.pair()
  for (const event of EVENTS) {
    stage.note('before', Reflect.get(ws, `on${event}`))
    const listener = (told: object): void => noteEvent(stage, ws, `on${event}`, told)
    Reflect.set(ws, `on${event}`, listener)
    stage.note('after', Reflect.get(ws, `on${event}`) === listener, ws.listenerCount(event))
  }
  peer.write(Buffer.concat([masked(TEXT, 'text'), close(1000)]))
  await stage.finish(peer)
})

same('an event of text has a string, of bytes what binaryType says', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.addEventListener('message', ({ data }) => stage.note('data', data))
  const told: 'data'[] = []
  for (const type of ['nodebuffer', 'arraybuffer', 'fragments'] as const) {
    ws.binaryType = type
    peer.write(Buffer.concat([masked(TEXT, 'é'), masked(2, 'é')]))
    told.push('data', 'data')
    await stage.noted(...told)
  }
  await stage.drop(peer)
})

same('a listener that is added twice is called once, with on() beside it both', async (stage) => {
  const { peer, ws } = await stage.pair()
  const listener = (event: unknown): void => stage.note('called', event instanceof Object)
  ws.addEventListener('message', listener)
  ws.addEventListener('message', listener)
  ws.on('message', listener)
  stage.note('count', ws.listenerCount('message'))
  peer.write(masked(TEXT, 'x'))
  await stage.noted('called', 'called')
  ws.removeEventListener('message', listener)
  stage.note('count', ws.listenerCount('message'))
  await stage.drop(peer)
})

same('once, handleEvent, this, and what is no listener', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.addEventListener('message', () => stage.note('once'), { once: true })
  const object = {
    handleEvent(this: unknown, event: { readonly data: unknown }): void {
      stage.note('handleEvent', this === object, event.data)
    },
  }
  Reflect.apply(ws.addEventListener, ws, ['message', object])
  ws.addEventListener('message', function (this: unknown) {
    stage.note('this', this === ws)
  })
  for (const bad of [null, 5]) {
    stage.call(`listener ${bad}`, () => Reflect.apply(ws.addEventListener, ws, ['open', bad]))
  }
  stage.call('unknown event', () => Reflect.apply(ws.addEventListener, ws, ['foo', () => undefined]))
  stage.call('unknown removal', () => Reflect.apply(ws.removeEventListener, ws, ['foo', () => undefined]))
  stage.note('counts', ws.listenerCount('message'), ws.listenerCount('open'), ws.listenerCount('foo'))
  peer.write(Buffer.concat([masked(TEXT, 'one'), masked(TEXT, 'two')]))
  await stage.noted('this', 'this')
  Reflect.apply(ws.removeEventListener, ws, ['message', object])
  stage.note('counts', ws.listenerCount('message'))
  await stage.drop(peer)
})

same('a property replaces its listener, and null takes it away', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.onmessage = () => stage.note('first')
  ws.onmessage = () => stage.note('second')
  ws.addEventListener('message', () => stage.note('beside'))
  stage.note('count', ws.listenerCount('message'))
  peer.write(masked(TEXT, 'x'))
  await stage.noted('beside')
  ws.onmessage = null
  stage.note('count', ws.listenerCount('message'), ws.onmessage)
  Reflect.set(ws, 'onmessage', 'no function')
  stage.note('count', ws.listenerCount('message'), ws.onmessage)
  peer.write(masked(TEXT, 'y'))
  await stage.noted('beside', 'beside')
  await stage.drop(peer)
})

same('removeEventListener removes listeners of properties too, and not those of on()', async (stage) => {
  const { ws, peer } = await stage.pair()
  const listener = (): void => undefined
  ws.on('message', listener)
  ws.removeEventListener('message', listener)
  stage.note('on', ws.listenerCount('message'))
  ws.removeListener('message', listener)
  ws.addEventListener('message', listener)
  ws.removeListener('message', listener)
  stage.note('addEventListener', ws.listenerCount('message'))
  ws.removeAllListeners('message')
  ws.onmessage = listener
  ws.removeEventListener('message', listener)
  stage.note('property', ws.listenerCount('message'))
  await stage.drop(peer)
})

same('wasClean is whether both Closes were there', async (stage) => {
  for (const end of ['close', 'terminate', 'reset'] as const) {
    const { peer, ws } = await stage.pair()
    ws.addEventListener('close', ({ wasClean, code, reason }) => stage.note(end, wasClean, code, reason))
    if (end === 'close') peer.write(close(1001, 'x'))
    if (end === 'close') peer.socket.end()
    if (end === 'terminate') ws.terminate()
    if (end === 'reset') peer.socket.resetAndDestroy()
    await stage.noted(end)
  }
})

same('the classes of events are made as those of the web', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.addEventListener('message', (event) => {
    stage.note('keys', Object.keys(Object.getPrototypeOf(event)), Object.keys(event))
    for (let kind = Object.getPrototypeOf(event); kind !== null; kind = Object.getPrototypeOf(kind)) {
      stage.note('kind', kind.constructor.name)
    }
  })
  peer.write(masked(TEXT, 'x'))
  await stage.noted('message')
  await stage.drop(peer)
})

same('the listeners of properties are those of the instance', async (stage) => {
  const { ws, peer } = await stage.pair()
  const listener = (): void => undefined
  ws.onclose = listener
  stage.note('listeners', ws.onclose === listener, ws.onopen, ws.onerror, ws.onmessage)
  await stage.drop(peer)
})
