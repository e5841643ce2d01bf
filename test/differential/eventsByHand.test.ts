// Events that a program emits or makes by itself, with values that no peer would have sent; and whether an end was clean.
import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { close } from '../support/frames.js'
import { same } from './same.js'
import type { Stage } from './stage.js'

const MEMBERS = ['type', 'target', 'data', 'code', 'reason', 'wasClean', 'error', 'message'] as const
const TYPES = ['open', 'message', 'error', 'close'] as const

type EventClass = new (type: string, options?: unknown) => object

/** Notes what an event says. The object that is its target is told by what it is. */
function noteEvent(stage: Stage, name: string, event: object): void {
  const said = MEMBERS.map((member) => (member in event ? Reflect.get(event, member) : 'none'))
  stage.note(name, event.constructor.name, ...said)
}

/** Notes what an action returns, or the class of what it throws: the words are the engine's. */
function attempt(stage: Stage, name: string, action: () => unknown): void {
  try {
    stage.note(name, action())
  } catch (error) {
    stage.note(`${name} throws`, error instanceof Error && error.constructor.name)
  }
}

function listen(ws: WebSocket, told: (type: string, event: object) => void): void {
  for (const type of TYPES) ws.addEventListener(type as 'message', (event) => told(type, event))
}

same('events that are emitted by the program, with values of its own', async (stage) => {
  const ws = stage.unconnected()
  listen(ws, (type, event) => noteEvent(stage, type, event))
  const emitted: readonly (readonly [string, ...unknown[]])[] = [
    ...[[], ['text'], ['text', true], [Buffer.from('b'), false], [null, false], [5]].map(
      (values) => ['message', ...values] as const,
    ),
    ['message', { toString: () => 'its own' }, false],
    ['message', [Buffer.from('a'), Buffer.from('b')], false],
    ...[[], [1000, 'r'], ['1000', Buffer.from('r')], [null, 5], [undefined, '']].map(
      (values) => ['close', ...values] as const,
    ),
    ...[[new Error('m')], ['text'], [{}], [{ message: 5 }], [null]].map((values) => ['error', ...values] as const),
    ['open', 1],
  ]
  for (const [event, ...values] of emitted) attempt(stage, `emit ${event}`, () => ws.emit(event, ...values))
})

same('the classes of events are made with any values', async (stage) => {
  const ws = stage.unconnected()
  const classes = new Map<string, EventClass>()
  listen(ws, (type, event) => classes.set(type, event.constructor as EventClass))
  ws.emit('open')
  ws.emit('message', Buffer.from('x'), false)
  ws.emit('error', new Error('x'))
  ws.emit('close', 1000, Buffer.alloc(0))
  const every = (value: unknown): object => Object.fromEntries(MEMBERS.map((member) => [member, value]))
  for (const [type, made] of classes) {
    stage.note(type, made.name, made.length)
    for (const options of [undefined, {}, every(null), every(0), every(undefined), every('x')]) {
      noteEvent(stage, type, new made('of its own', options))
    }
  }
})

same("an end is not clean where the answer to the peer's Close can't leave", async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.addEventListener('close', ({ wasClean, code, reason }) => stage.note('clean', wasClean, code, reason))
  peer.socket.pause()
  ws.send(Buffer.alloc(16 * 1024 * 1024))
  peer.write(close(1000, 'theirs'))
  await stage.until(() => ws.readyState === ws.CLOSING, 'the Close')
  await delay(10)
  peer.socket.resetAndDestroy()
  await stage.noted('clean')
})

same("an end is clean where it is terminated behind the answer to the peer's Close", async (stage) => {
  const { ws, peer } = await stage.pair()
  ws.addEventListener('close', ({ wasClean, code }) => stage.note('clean', wasClean, code))
  peer.write(close(1000, 'theirs'))
  await peer.frames(1)
  ws.terminate()
  await stage.noted('clean')
})
