// What an application and its clients may do at any time, inside of a handler or not.
import type { Actor } from './actor.js'
import { isText, payloadOf, type Spec } from './payloads.js'
import type { World } from './world.js'

interface Choice {
  /** How often it is chosen. */
  readonly weight: number
  act(world: World, actor: Actor): void
}

const TOPICS = ['news', 'weather', 'x'.repeat(200)]
const LONG = 150_000
const MOST_CONNECTIONS = 40

/** What is sent of a message: text as a string, bytes as bytes. */
function dataOf(spec: Spec): string | Buffer {
  const payload = payloadOf(spec)
  return isText(spec) ? payload.toString() : payload
}

function sendPrepared(world: World, actor: Actor): void {
  const { spec, message } = world.prepare()
  world.send(actor, spec, message)
  const other = world.anyone()
  if (other !== undefined && world.prepared.some((one) => one.message === message)) world.send(other, spec, message)
}

/** To all subscribers but `except`: who has what was published, and in which order, is known here. */
function publish(world: World, actor: Actor, from: Actor | undefined): void {
  const topic = world.random.pick(TOPICS)
  const domain = world.places.domainOf(actor)
  const subscribers = [...(domain?.subscribers.get(topic) ?? [])]
  if (domain === undefined || world.sending > 0 || subscribers.some(({ toClient }) => toClient.length > 150)) return
  if (from !== undefined && from.connection === undefined) return
  const length = world.random.pick([0, 3, 100, 126, 900, 900, 5000, 30_000, 70_000])
  const spec = world.newSpec(`${topic.slice(0, 9)} of ${domain.name} `, length)
  for (const subscriber of subscribers) if (subscriber !== from && subscriber.open) subscriber.expect(spec, true)
  const data = dataOf(spec)
  world.during(undefined, () => {
    if (from === undefined) domain.publish(topic, data)
    else from.connection?.publish(topic, data)
  })
}

function subscribe(world: World, actor: Actor): void {
  const topic = world.random.pick(TOPICS)
  const subscribers = world.places.domainOf(actor)?.subscribers
  if (subscribers === undefined || actor.connection === undefined || actor.gone) return
  const those = subscribers.get(topic) ?? new Set()
  subscribers.set(topic, those.add(actor))
  actor.topics.add(topic)
  actor.connection.subscribe(topic)
}

function unsubscribe(world: World, actor: Actor): void {
  const [topic] = actor.topics
  if (topic === undefined || actor.sending > 0 || actor.connection === undefined) return
  actor.topics.delete(topic)
  world.places.domainOf(actor)?.subscribers.get(topic)?.delete(actor)
  world.during(actor, () => actor.connection?.unsubscribe(topic))
}

function beginFragments(world: World, actor: Actor): void {
  if (!actor.open || actor.busy || actor.sending > 0 || actor.streaming || actor.fragments !== undefined) return
  const spec = actor.next()
  const expected = actor.expect(spec, false, false)
  actor.fragments = expected
  actor.rest = dataOf(spec)
  continueFragments(world, actor)
}

/** Sends the next fragment, which may be the last. */
export function continueFragments(world: World, actor: Actor): void {
  const { fragments, rest, connection } = actor
  if (fragments === undefined || actor.sending > 0 || connection === undefined) return
  const end = world.quiet || world.random.chance(0.4) ? rest.length : world.random.below(rest.length + 1)
  const last = world.quiet || (end === rest.length && world.random.chance(0.7))
  const part = typeof rest === 'string' ? rest.slice(0, end) : rest.subarray(0, end)
  actor.rest = typeof rest === 'string' ? rest.slice(end) : rest.subarray(end)
  if (last) fragments.complete = true // what a client gets of it may come before this returns
  const result = world.during(actor, () => connection.sendFragment(part, last))
  if (result === 'closed') {
    fragments.void = true
    fragments.complete = false
  }
  if (last || result === 'closed') actor.fragments = undefined
}

function sendStream(world: World, actor: Actor): void {
  const { connection, policy } = actor
  if (connection === undefined || !actor.open || actor.busy || actor.sending > 0 || policy === 'drop') return
  if (actor.streaming || actor.fragments !== undefined) return
  const spec = actor.next()
  const expected = actor.expect(spec, false, false)
  actor.streaming = true
  const sent = world.during(actor, () => connection.sendStream(chunks(world, dataOf(spec)), { binary: !isText(spec) }))
  sent
    .then(
      () => {
        expected.complete = true
      },
      () => {
        expected.void = !actor.open
      },
    )
    .finally(() => {
      actor.streaming = false
    })
}

async function* chunks(world: World, data: string | Buffer): AsyncGenerator<string | Buffer> {
  let at = 0
  while (at < data.length) {
    const end = world.random.between(at + 1, Math.min(data.length, at + 20_000))
    yield typeof data === 'string' ? data.slice(at, end) : data.subarray(at, end)
    at = end
    if (world.random.chance(0.3)) await world.later()
    if (world.random.chance(0.1)) world.act(1)
  }
}

function ping(world: World, actor: Actor): void {
  const { connection } = actor
  if (connection === undefined || !actor.open || actor.busy || actor.sending > 0 || actor.pings.length > 20) return
  const payload = `${actor.name}?${world.newSpec('', 0).number}`.padEnd(world.random.between(10, 125), '.')
  actor.pings.push(payload)
  world.during(actor, () => connection.ping(payload).catch(() => undefined))
}

function lets(actor: Actor, ends: (connection: NonNullable<Actor['connection']>) => void): void {
  if (actor.connection === undefined || !actor.open) return
  actor.ending = true
  ends(actor.connection)
}

export type Action =
  | 'client sends'
  | 'client holds'
  | 'client releases'
  | 'client closes'
  | 'client ends'
  | 'client leaves'
  | 'send'
  | 'send prepared'
  | 'publish'
  | 'publish by a connection'
  | 'subscribe'
  | 'unsubscribe'
  | 'fragment'
  | 'stream'
  | 'ping'
  | 'pause'
  | 'resume'
  | 'close'
  | 'terminate'
  | 'upgrade'

export const ACTIONS: Readonly<Record<Action, Choice>> = {
  'client sends': { weight: 160, act: (_, actor) => actor.clientSends() },
  'client holds': { weight: 10, act: (_, actor) => actor.hold() },
  'client releases': { weight: 25, act: (_, actor) => actor.release() },
  'client closes': { weight: 1, act: (_, actor) => actor.clientCloses() },
  'client ends': { weight: 1, act: (_, actor) => actor.clientEnds() },
  'client leaves': { weight: 1, act: (_, actor) => actor.clientLeaves() },
  send: {
    weight: 40,
    act(world, actor) {
      const spec = actor.next(world.random.chance(world.profile.long ?? 0) ? LONG : undefined)
      world.send(actor, spec, dataOf(spec))
    },
  },
  'send prepared': { weight: 15, act: sendPrepared },
  publish: { weight: 15, act: (world, actor) => publish(world, actor, undefined) },
  'publish by a connection': { weight: 15, act: (world, actor) => publish(world, actor, actor) },
  subscribe: { weight: 8, act: subscribe },
  unsubscribe: { weight: 3, act: unsubscribe },
  fragment: {
    weight: 25,
    act: (world, actor) =>
      actor.fragments === undefined ? beginFragments(world, actor) : continueFragments(world, actor),
  },
  stream: { weight: 5, act: sendStream },
  ping: { weight: 5, act: ping },
  pause: { weight: 8, act: (_, actor) => actor.connection?.pause() },
  resume: { weight: 20, act: (_, actor) => actor.connection?.resume() },
  close: { weight: 1, act: (_, actor) => lets(actor, (connection) => connection.close(4001, actor.name)) },
  terminate: { weight: 1, act: (_, actor) => lets(actor, (connection) => connection.terminate()) },
  upgrade: {
    weight: 3,
    act(world) {
      world.places.admit()
      if (world.actors.size < MOST_CONNECTIONS) world.places.pair()
    },
  },
}
