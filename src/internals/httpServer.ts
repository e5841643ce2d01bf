// Whether an HTTP server is just what node:http makes without any options: only then may somebody else accept for it, and read
// requests as it would.
import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { createServer, Server as HttpServer, maxHeaderSize } from 'node:http'

/** What is different with an option that changes how connections are accepted, or what a request or its socket looks like. */
const OPTIONS = [
  ...['maxHeaderSize', 'insecureHTTPParser', 'httpValidation', 'requireHostHeader', 'joinDuplicateHeaders'],
  ...['allowHalfOpen', 'pauseOnConnect', 'noDelay', 'keepAlive', 'highWaterMark', 'httpAllowHalfOpen', 'blockList'],
]

/** What node:http takes of headers, unless the process was started with another size. */
const USUAL_HEADER_SIZE = 16_384

/** A limit of time that is shorter than this is node:http's to keep from the start: a connection may come to it a little later. */
const SHORTEST_TIME = 10_000

/** How events are told, unless somebody has put a function of his own in its place, and sees them all. */
const { emit } = EventEmitter.prototype

/** What decides in node:http which requests are upgrades, in each of its servers, where it has that. */
const usualDeciders = new WeakSet<object>()

/** Is published to for each socket that a server has accepted. */
const accepted = channel('net.server.socket')

let usual: HttpServer | undefined

/** Whether `server` is one of node:http, of no class of its own, whose options change nothing about requests. */
export function isPlainServer(server: object): server is HttpServer {
  if (Object.getPrototypeOf(server) !== HttpServer.prototype || maxHeaderSize < USUAL_HEADER_SIZE) return false
  usual ??= createServer()
  const decider: unknown = Reflect.get(server, 'shouldUpgradeCallback')
  if (String(decider) !== String(Reflect.get(usual, 'shouldUpgradeCallback'))) return false
  if (typeof decider === 'function') usualDeciders.add(decider)
  return hasAsUsual(server, OPTIONS) && hasAsUsual(server, classesOf(usual))
}

function hasAsUsual(server: object, names: readonly (string | symbol)[]): boolean {
  return names.every((name) => Reflect.get(server, name) === Reflect.get(usual ?? server, name))
}

/** The classes of requests and responses, which may be the application's: node:http keeps them by symbols of its own. */
function classesOf(server: object): symbol[] {
  return Object.getOwnPropertySymbols(server).filter((name) => typeof Reflect.get(server, name) === 'function')
}

/** Whether an upgrade request is told, and nobody but node:http itself decides that. */
export function upgradesPlainly(server: HttpServer): boolean {
  if (server.listenerCount('upgrade') === 0) return false
  const decider: unknown = Reflect.get(server, 'shouldUpgradeCallback')
  return decider === undefined || (typeof decider === 'function' && usualDeciders.has(decider))
}

/**
 * Whether nobody would notice that a connection is not accepted by node:net: nobody but node:http itself listens to them or sees
 * all events, their number and their headers have no limit, their time has none or a long one, and nobody is told of sockets.
 */
export function acceptsPlainly(server: HttpServer): boolean {
  if (server.timeout !== 0 || isShort(server.headersTimeout) || isShort(server.requestTimeout)) return false
  if (typeof server.maxConnections === 'number' || server.maxHeadersCount !== null) return false // 0 takes none
  if (accepted.hasSubscribers || server.emit !== emit || Reflect.get(server, 'domain')) return false
  if (!hasAsUsual(server, OPTIONS)) return false // they may have been changed since
  return server.listenerCount('connection') === 1 && listenerOf(server) === listenerOf(usual)
}

function isShort(time: number): boolean {
  return time > 0 && time < SHORTEST_TIME
}

/** The one that listens to the connections of a server. */
function listenerOf(server: HttpServer | undefined): unknown {
  const events: unknown = server && Reflect.get(server, '_events')
  return typeof events === 'object' && events !== null ? Reflect.get(events, 'connection') : undefined
}
