// Where the connections of the model come from: two servers that listen on every kind of socket, an HTTP server that
// holds upgrades back, pairs of Duplexes, and transports in memory.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer as createHttp, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectSecurely } from 'node:tls'
import { heapOfThread } from '../../src/codec/codec.js'
import { DeflateAgreements } from '../../src/connection/deflateAgreements.js'
import { deflateSettings } from '../../src/connection/deflateSettings.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import {
  type Connection,
  createServer,
  route,
  type Sendable,
  type Server,
  type ServerOptions,
} from '../../src/index.js'
import type { Budget } from '../../src/memory/budget.js'
import type { ServerLimits } from '../../src/server/options.js'
import { budgetMadeBy } from '../faults/books.js'
import { cert, key } from '../support/certificate.js'
import { type Connections, connections } from '../support/connections.js'
import { duplexPair } from '../support/duplexPair.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { freePath } from '../support/places.js'
import { Actor, type Policy } from './actor.js'
import { OFFERS } from './clientDeflate.js'
import { handlersOf, STREAM_THRESHOLD } from './handlers.js'
import { MemoryWire, StreamWire } from './wires.js'
import type { World } from './world.js'

/** How a connection comes. */
export type Kind = 'tcp' | 'public' | 'tls' | 'unix' | 'pair' | 'memory' | 'held'

/** Those that share topics. */
export interface Domain {
  readonly name: string
  readonly subscribers: Map<string, Set<Actor>>
  publish(topic: string, data: Sendable): number
}

const OUTPUT_LIMIT = 24_000
const LIMITS = { outputLimit: OUTPUT_LIMIT, pendingHandlers: 4, closeTimeout: 1000 }
const policies: readonly Policy[] = ['pause', 'drop', 'close']
/** The routes: by the output policy, or by what reads the messages. */
const PATHS = ['pause', 'drop', 'close', 'stream', 'all', 'loop'] as const

export type Path = (typeof PATHS)[number]

export class Places {
  readonly #world: World
  readonly #limits: Partial<ServerLimits>
  readonly #fast: Server
  readonly #public: Server
  readonly #http: HttpServer = createHttp()
  readonly #budgets: Budget[] = []
  readonly #rooms: readonly { readonly path: Path; readonly room: Connections; readonly domain: Domain }[]
  readonly #domains = new Map<Server, Domain>()
  readonly #byName = new Map<string, Actor>()
  readonly #byConnection = new WeakMap<Connection<unknown>, Actor>()
  readonly #domainOf = new WeakMap<Actor, Domain>()
  /** Upgrades that somebody must let in. */
  readonly #held: [IncomingMessage, Duplex, Buffer][] = []
  readonly #paths = { fast: '', tls: 0, tcp: 0, public: 0, http: 0 }
  #arriving: Actor | undefined
  /** What connections in memory agree on about compression. */
  readonly #agreements: DeflateAgreements | undefined

  constructor(world: World) {
    this.#world = world
    const settings = deflateSettings(world.profile.deflate, undefined)
    const parts = { encoder: encoderOfThread('server'), heap: heapOfThread() }
    this.#agreements = settings && new DeflateAgreements(parts, settings)
    this.#limits = { ...LIMITS, ...world.profile.limits }
    this.#fast = this.#server(false)
    this.#public = this.#server(true)
    this.#http.on('upgrade', (request, socket, head) => this.#held.push([request, socket, head]))
    this.#rooms = PATHS.map((path) => {
      const threshold = path === 'stream' ? STREAM_THRESHOLD : path === 'all' ? 0 : undefined
      const made = connections({
        ...handlersOf(world, path),
        ...this.#limits,
        outputPolicy: policyOf(path),
        streamThreshold: threshold,
      })
      this.#budgets.push(made.budget)
      const publish = (topic: string, data: Sendable): number =>
        made.shared.topics.publish(topic, data, undefined as never)
      return { path, room: made, domain: { name: `room ${path}`, subscribers: new Map(), publish } }
    })
  }

  async listen(): Promise<void> {
    const { kinds } = this.#world.profile
    const host = '127.0.0.1'
    if (kinds.includes('tcp')) this.#paths.tcp = await listening(this.#fast, { host })
    if (kinds.includes('public')) this.#paths.public = await listening(this.#public, { host })
    if (kinds.includes('tls')) this.#paths.tls = await listening(this.#fast, { host, tls: { key, cert } })
    if (kinds.includes('unix')) {
      this.#paths.fast = freePath()
      await this.#fast.listen({ path: this.#paths.fast })
    }
    if (!kinds.includes('held')) return
    this.#http.listen(0, host)
    await once(this.#http, 'listening')
    const address = this.#http.address()
    this.#paths.http = typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  async close(): Promise<void> {
    for (const [, socket] of this.#held.splice(0)) socket.destroy()
    await Promise.all([this.#fast.close(), this.#public.close()])
    if (!this.#http.listening) return
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  checkBooks(): void {
    for (const { used, stalls } of this.#budgets) {
      if (used !== 0 || stalls.watched !== 0)
        this.#world.fault(`a budget holds ${used} bytes, ${stalls.watched} unfinished`)
    }
    for (const { connections } of [this.#fast, this.#public]) {
      if (connections.size !== 0) this.#world.fault(`${connections.size} connections are left`)
    }
  }

  /** One more connection, of any kind. */
  spawn(): void {
    const { random, profile } = this.#world
    const kind = random.pick(profile.kinds)
    if (kind === 'memory') this.#memory()
    else if (kind === 'pair') this.pair()
    else this.#socket(kind)
  }

  /** A pair of Duplexes, at once: frames of the client's lie behind its request. */
  pair(): void {
    const actor = this.#actor(this.#fast)
    const [near, far] = duplexPair()
    actor.wire = new StreamWire(near, actor)
    const head = this.#world.random.chance(0.6) ? actor.compose(4) : Buffer.alloc(0)
    this.#fast.handleUpgrade(requestFor(this.#target(actor), actor.offer), far, head)
  }

  /** Lets an upgrade in that was held back, if there is one. */
  admit(): void {
    const held = this.#held.shift()
    if (held !== undefined) this.#fast.handleUpgrade(...held)
  }

  /** The connection has opened. */
  opened(connection: Connection<unknown>): Actor | undefined {
    const name = connection.request.path.split('/')[2]
    const actor = name === undefined ? this.#arriving : this.#byName.get(name)
    if (actor === undefined) this.#world.fault(`a connection of nobody's opens: ${connection.request.path}`)
    else {
      actor.connection = connection
      this.#world.actors.add(actor) // again, if its client has left before
      this.#byConnection.set(connection, actor)
    }
    return actor
  }

  actorOf(connection: Connection<unknown>): Actor | undefined {
    const actor = this.#byConnection.get(connection)
    if (actor === undefined) this.#world.fault("a handler is called for a connection of nobody's")
    return actor
  }

  domainOf(actor: Actor): Domain | undefined {
    return this.#domainOf.get(actor)
  }

  /** Nothing of it is left. */
  gone(actor: Actor): void {
    actor.gone = true
    for (const topic of actor.topics) this.domainOf(actor)?.subscribers.get(topic)?.delete(actor)
    this.#world.actors.delete(actor)
    if (actor.connection !== undefined) this.#byName.delete(actor.name) // else it may open yet
    actor.wire?.destroy()
  }

  /** Makes an actor do what it still has to do. */
  finish(actor: Actor): void {
    if (actor.held) actor.release()
    actor.connection?.resume()
    if (actor.connection === undefined) this.admit()
    if (actor.connection === undefined && actor.clientGone) this.gone(actor)
  }

  stateOf(actor: Actor): string {
    const { connection, open, leaving, ending, streaming } = actor
    const state = {
      opened: connection !== undefined,
      open,
      leaving,
      ending,
      streaming,
      buffered: connection?.bufferedAmount,
    }
    return `${this.domainOf(actor)?.name} ${JSON.stringify(state)}`
  }

  #server(publicApi: boolean): Server {
    const { server, budget } = budgetMadeBy(() => {
      const routes = Object.fromEntries(
        PATHS.map((path) => [
          `/${path}/:name`,
          route({
            outputPolicy: policyOf(path),
            ...handlersOf(this.#world, path),
            ...(path === 'stream' ? { streamThreshold: STREAM_THRESHOLD } : {}),
            ...(path === 'all' ? { streamThreshold: 0 } : {}),
            upgrade: () => (this.#world.random.chance(0.1) ? this.#world.later() : undefined),
          }),
        ]),
      )
      const deflate = this.#world.profile.deflate ?? false
      return createServer({ publicApi, deflate, ...this.#limits, routes } as ServerOptions)
    })
    this.#budgets.push(budget)
    const publish = (topic: string, data: Sendable): number => server.publish(topic, data)
    this.#domains.set(server, {
      name: publicApi ? 'the public API' : 'the fast server',
      subscribers: new Map(),
      publish,
    })
    return server
  }

  #path(): Path {
    return this.#world.random.pick(this.#world.profile.paths ?? PATHS)
  }

  #actor(server: Server): Actor {
    const actor = this.#add(this.#path())
    const domain = this.#domains.get(server)
    if (domain !== undefined) this.#domainOf.set(actor, domain)
    return actor
  }

  #add(path: Path): Actor {
    const { random, profile } = this.#world
    const offer = profile.deflate !== undefined && random.chance(0.8) ? random.pick(OFFERS) : undefined
    const actor = new Actor(this.#world, this.#world.newName(), path, policyOf(path), offer)
    this.#world.actors.add(actor)
    this.#byName.set(actor.name, actor)
    return actor
  }

  #memory(): void {
    const chosen = this.#path()
    const [{ path, room: place, domain } = unknown(chosen)] = this.#rooms.filter((one) => one.path === chosen)
    const actor = this.#add(path)
    this.#domainOf.set(actor, domain)
    const before = this.#arriving
    this.#arriving = actor
    try {
      const deflate = actor.offer === undefined ? undefined : this.#agreements?.agree(actor.offer)
      if (deflate !== undefined) actor.accepted(`sec-websocket-extensions: ${deflate.answer}\r\n`)
      actor.wire = new MemoryWire(place.connect({ deflate }).wire, actor)
    } finally {
      this.#arriving = before
    }
  }

  #socket(kind: Kind): void {
    const actor = this.#actor(kind === 'public' ? this.#public : this.#fast)
    const wire = new StreamWire(this.#dial(kind), actor)
    actor.wire = wire
    const frames = this.#world.random.chance(0.6) ? actor.compose(4) : Buffer.alloc(0)
    wire.write(
      Buffer.concat([
        Buffer.from(upgradeRequest({ 'Sec-WebSocket-Extensions': actor.offer }, `GET ${this.#target(actor)} HTTP/1.1`)),
        frames,
      ]),
    )
  }

  #dial(kind: Kind): Socket {
    const [host, allowHalfOpen] = ['127.0.0.1', true]
    if (kind === 'unix') return connect({ path: this.#paths.fast, allowHalfOpen })
    if (kind === 'tls') {
      const options = { host, port: this.#paths.tls, rejectUnauthorized: false, allowHalfOpen }
      return connectSecurely(options)
    }
    const port = kind === 'held' ? this.#paths.http : kind === 'public' ? this.#paths.public : this.#paths.tcp
    return connect({ host, port, allowHalfOpen, noDelay: true })
  }

  #target({ path, name }: Actor): string {
    return `/${path}/${name}`
  }
}

function unknown(path: Path): never {
  throw new Error(`nobody serves ${path}`)
}

function policyOf(path: Path): Policy {
  return policies.find((policy) => policy === path) ?? 'pause'
}

async function listening(server: Server, options: Parameters<Server['listen']>[0]): Promise<number> {
  const before = server.addresses.length
  await server.listen(options)
  const address = server.addresses[before]
  return typeof address === 'object' ? address.port : 0
}

/** What node:http would give an 'upgrade' listener. */
function requestFor(url: string, offer: string | undefined): IncomingMessage {
  const lines = upgradeRequest({ 'Sec-WebSocket-Extensions': offer })
    .split('\r\n')
    .slice(1)
    .filter((line) => line !== '')
  const rawHeaders = lines.flatMap((line) => line.split(': '))
  return { method: 'GET', url, httpVersion: '1.1', rawHeaders } as unknown as IncomingMessage
}
