// The server that is attacked: a handler for each path, at the default limits unless the path says otherwise.
// usage: target CHECKOUT, the folder of a built checkout; it answers to the questions below.
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Connection, Message, MessageStream, ServerOptions } from '../../src/index.js'
import { cert, key } from '../../test/support/certificate.js'
import { answer, goes } from '../support/talk.js'

/** Where it listens, on 127.0.0.1. */
export interface Ports {
  readonly plain: number
  readonly secure: number
  /** Where connections begin with a header of the PROXY protocol. */
  readonly proxied: number
}

/** What the process holds, in bytes, after a garbage collection. */
export interface Memory {
  readonly resident: number
  /** Objects, buffers, and blocks of the codec's memory that are in use. */
  readonly live: number
  readonly connections: number
}

type Library = typeof import('../../src/index.js')
type Codec = typeof import('../../src/codec/codec.js')
type Route = ServerOptions

const checkout = resolve(process.argv[2] ?? '.')
const load = async <Module>(path: string): Promise<Module> => import(pathToFileURL(join(checkout, 'dist', path)).href)
const { createServer, route } = await load<Library>('src/index.js')
const codec = await load<Codec>('src/codec/codec.js')

const never = (): Promise<never> => new Promise<never>(() => undefined)
const echo = (connection: Connection, message: Message): unknown => connection.send(message)
const answerAtDrain = Buffer.alloc(65_536)
const row = 'a row of some bytes\n'

async function* rows(): AsyncGenerator<string> {
  for (let count = 0; count < 200_000; count++) yield row
}

async function consume(connection: Connection, message: MessageStream): Promise<void> {
  let bytes = 0
  for await (const chunk of message) bytes += chunk.length
  connection.send(String(bytes))
}

function toggle(connection: Connection, message: Message): void {
  const topic = message.text()
  if (connection.isSubscribed(topic)) connection.unsubscribe(topic)
  else connection.subscribe(topic)
}

const handlers: Readonly<Record<string, Route>> = {
  '/honest': { message: echo },
  '/echo': { message: echo },
  '/text': { message: (_, message) => void message.text() },
  '/ignore': { message: () => undefined },
  '/pong': { message: () => undefined, pong: () => undefined },
  '/pending': { message: never },
  '/later': { message: (_, message) => new Promise((done) => setTimeout(() => done(message.byteLength), 20)) },
  '/loop': { open: (connection) => void connection.messages() },
  '/stream': { stream: never },
  '/stream-all': { streamThreshold: 0, stream: consume },
  '/stream-none': { streamThreshold: 0, stream: () => undefined },
  '/pause': { open: (connection) => connection.pause(), message: () => undefined },
  '/large': { large: { module: new URL('./largeModule.js', import.meta.url) } },
  '/drain': { message: echo, drain: (connection) => connection.send(answerAtDrain) },
  '/pinging': { message: (connection) => void connection.ping().catch(() => undefined) },
  '/drop': { outputPolicy: 'drop', message: echo },
  '/close': { outputPolicy: 'close', message: echo },
  '/closing': { message: (connection) => connection.close() },
  '/upgrade-late': { upgrade: never, upgradeFailed: () => undefined, message: echo },
  '/upgrade-refused': { upgrade: () => ({ status: 401 }) },
  '/throwing': {
    message() {
      throw new Error('a handler that fails')
    },
  },
  '/rows': { message: (connection) => connection.sendStream(rows()).catch(() => undefined) },
  '/topics': { message: toggle },
  '/member': { open: (connection) => connection.subscribe('all'), message: () => undefined },
  '/publish': { message: (connection, message) => connection.publish('all', message) },
}

const quiet = { error: () => undefined }
const routes = Object.fromEntries(
  Object.entries(handlers).map(([path, options]) => [path, route({ ...quiet, ...options })]),
)
const server = createServer({ ...quiet, routes, trustedProxies: ['127.0.0.3'] })
await server.listen({ host: '127.0.0.1' })
await server.listen({ host: '127.0.0.1', tls: { key, cert } })
await server.listen({ host: '127.0.0.1', proxyProtocol: true })

function ports(): Ports {
  const [plain, secure, proxied] = server.addresses.map((address) => (typeof address === 'string' ? 0 : address.port))
  return { plain: plain ?? 0, secure: secure ?? 0, proxied: proxied ?? 0 }
}

function memory(): Memory {
  globalThis.gc?.()
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const live = heapUsed + arrayBuffers + codec.heapOfThread().used
  return { resident: rss, live, connections: server.connections.size }
}

goes('first')
answer({ ports, memory, retire: () => goes('last') })
