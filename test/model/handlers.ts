// The application of the model: its handlers check what they are given, do something at random, and check again.

import type { Handlers } from '../../src/connection/handlers.js'
import type { Connection, Message, MessageStream } from '../../src/index.js'
import { ProtocolViolation } from '../../src/index.js'
import type { Actor } from './actor.js'
import { nameOf, payloadOf, type Spec } from './payloads.js'
import type { World } from './world.js'

export const STREAM_THRESHOLD = 1000

/** What a handler of the model throws, now and then. */
class Thrown extends Error {}

/** What may fail a connection although its peer keeps every rule. */
const LIMITS: readonly string[] = ['OUTPUT_FULL', 'STREAM_LEFT', 'MEMORY_SPENT']

/** Whether what was taken is not sent: others need its memory, or what waits to be compressed gets none when it is its turn. */
function givesUp({ code, message }: ProtocolViolation, { offer }: Actor): boolean {
  return /others need the memory/.test(message) || (code === 'MEMORY_SPENT' && offer !== undefined)
}

/** Handlers for a route; those of `loop` read the messages in a loop. */
export function handlersOf(world: World, path: string): Handlers<undefined> {
  return {
    open(connection) {
      const actor = world.places.opened(connection)
      if (actor === undefined) return
      if (path === 'loop') void loop(world, actor, connection)
      world.act(1, actor)
    },
    message: (connection, message) => received(world, connection, message),
    ...(path === 'stream' || path === 'all'
      ? { stream: (connection, stream) => streamed(world, connection, stream) }
      : {}),
    drain: (connection) => world.act(1, world.places.actorOf(connection)),
    close(connection, code) {
      const actor = world.places.actorOf(connection)
      if (actor === undefined) return
      if (code === 4000 && !actor.ending && path !== 'loop' && actor.toServer.length > 0) {
        actor.fault(`it ends by its client's Close before what came first: ${actor.owed}`)
      }
      if (actor.halfClosed && !actor.torn && !actor.ending && path !== 'loop' && actor.toServer.length > 0) {
        actor.fault(`it ends by its client's end before what came first: ${actor.owed}`)
      }
      world.places.gone(actor)
      world.act(1)
    },
    error(connection, error) {
      const actor = world.places.actorOf(connection)
      if (actor !== undefined) {
        actor.ending = true
        actor.evicted ||= error instanceof ProtocolViolation && givesUp(error, actor)
      }
      const expected = error instanceof Thrown || (error instanceof ProtocolViolation && LIMITS.includes(error.code))
      if (!expected) actor?.fault(`its error handler is told ${error instanceof Error ? error.stack : String(error)}`)
      world.act(1, actor)
    },
  }
}

function received(world: World, connection: Connection<unknown>, message: Message): unknown {
  const { random } = world
  world.frames++
  const actor = world.places.actorOf(connection)
  const spec = actor?.arrives(message.isText, message.view)
  if (actor === undefined || spec === undefined) return undefined
  react(world, actor, message, spec)
  actor.stays(message, spec, 'within its handler')
  const way = world.quiet ? 0 : random.below(100)
  if (way < 10) {
    const payload = message.bytes
    world.isPast(message, spec, false)
    if (!payload.equals(payloadOf(spec))) actor.fault(`the copy of ${nameOf(spec)} has other bytes`)
  } else if (way < 25) return later(world, actor, message, spec)
  else world.isPast(message, spec, true)
  if (way === 99 && random.chance(0.3)) throw new Thrown('by a handler')
  return undefined
}

/** Does something with the message, and whatever else. */
function react(world: World, actor: Actor, message: Message, spec: Spec): void {
  if (world.quiet || !world.random.chance(world.profile.reactions?.handler ?? 0.4)) return
  const { random } = world
  const kind = random.below(10)
  if (kind < 4) world.send(actor, spec, message)
  else if (kind < 6) {
    world.send(actor, spec, message)
    for (let n = random.below(4); n > 0; n--) {
      const other = world.anyone()
      if (other !== undefined) world.send(other, spec, message)
    }
  }
  world.act(2, actor)
}

/** A handler that takes its time: the message is there until it is done, whatever becomes of its connection. */
async function later(world: World, actor: Actor, message: Message, spec: Spec): Promise<void> {
  const { random } = world
  const fails = random.chance(0.02)
  for (let n = random.between(1, 2); n > 0; n--) {
    await world.later()
    actor.stays(message, spec, 'while its handler waits')
    if (!random.chance(0.3)) continue
    world.send(actor, spec, message)
    world.act(1, actor)
    actor.stays(message, spec, 'after its handler has waited')
  }
  world.isPast(message, spec, false)
  if (fails) throw new Thrown('by a handler, later')
}

/** A `stream` handler: reads all, or some, or nothing; at once, or later, or after it has returned. */
function streamed(world: World, connection: Connection<unknown>, stream: MessageStream): unknown {
  const { random } = world
  world.frames++
  const actor = world.places.actorOf(connection)
  const spec = actor?.arrives(stream.isText, undefined)
  if (actor === undefined || spec === undefined) return undefined
  if (stream.byteLength !== undefined && stream.byteLength !== spec.length) {
    actor.fault(`the stream of ${nameOf(spec)} has ${stream.byteLength} bytes`)
  }
  if (random.chance(0.3)) world.act(1, actor)
  const leaves = world.quiet ? Infinity : random.pick([Infinity, Infinity, Infinity, 0, 1, 2])
  if (leaves === 0) return void stream.return()
  const reading = read(world, actor, stream, spec, leaves)
  if (random.chance(0.8)) return reading
  return undefined // it goes on reading
}

async function read(world: World, actor: Actor, stream: MessageStream, spec: Spec, leaves: number): Promise<void> {
  const payload = payloadOf(spec)
  let at = 0
  let chunks = 0
  try {
    for await (const chunk of stream) {
      if (world.random.chance(0.3)) await world.later()
      if (!chunk.equals(payload.subarray(at, at + chunk.length))) {
        return actor.fault(`the stream of ${nameOf(spec)} has other bytes from ${at} on`)
      }
      at += chunk.length
      world.frames++
      if (world.random.chance(0.3)) world.act(1, actor)
      if (++chunks >= leaves) return
    }
    if (at !== payload.length && !actor.gone) actor.fault(`the stream of ${nameOf(spec)} ends after ${at} bytes`)
  } catch (error) {
    if (!/the connection ended before the message did/.test(String(error)) && !actor.gaveUp(error)) throw error
  }
}

/** The bytes of a message; undefined where they were given up before the loop came to them. */
function viewOf(message: Message, actor: Actor): Uint8Array | undefined {
  try {
    return message.view
  } catch (error) {
    if (actor.gaveUp(error)) return undefined
    throw error
  }
}

/** The messages as a loop that is left now and then. */
async function loop(world: World, actor: Actor, connection: Connection<unknown>): Promise<void> {
  while (!actor.gone) {
    for await (const message of connection.messages()) {
      world.frames++
      const view = viewOf(message, actor)
      const spec = view && actor.arrives(message.isText, view)
      if (spec === undefined) return
      react(world, actor, message, spec)
      if (world.random.chance(0.2)) await world.later()
      actor.stays(message, spec, 'in its loop')
      if (world.random.chance(0.05)) break
    }
    await world.later()
  }
}
