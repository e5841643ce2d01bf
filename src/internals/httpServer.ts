// Whether an HTTP server is just what node:http makes without any options: only then may somebody else accept for it, and read
// requests as it would.
import { channel } from 'node:diagnostics_channel'
import { createServer, Server as HttpServer } from 'node:http'

/** What is different with an option that changes how connections are accepted, or what a request or its socket looks like. */
const OPTIONS = [
  ...['maxHeaderSize', 'insecureHTTPParser', 'httpValidation', 'requireHostHeader', 'joinDuplicateHeaders'],
  ...['allowHalfOpen', 'pauseOnConnect', 'noDelay', 'keepAlive', 'highWaterMark', 'httpAllowHalfOpen', 'blockList'],
]

/** Is published to for each socket that a server has accepted. */
const accepted = channel('net.server.socket')

let usual: HttpServer | undefined

/** Whether `server` is one of node:http, of no class of its own, whose options change nothing about requests. */
export function isPlainServer(server: object): server is HttpServer {
  if (Object.getPrototypeOf(server) !== HttpServer.prototype) return false
  usual ??= createServer()
  return (
    OPTIONS.every((name) => Reflect.get(server, name) === Reflect.get(usual as object, name)) &&
    String(Reflect.get(server, 'shouldUpgradeCallback')) === String(Reflect.get(usual, 'shouldUpgradeCallback')) &&
    classesOf(usual).every((name) => Reflect.get(server, name) === Reflect.get(usual as object, name))
  )
}

/** The classes of requests and responses, which may be the application's: node:http keeps them by symbols of its own. */
function classesOf(server: object): symbol[] {
  return Object.getOwnPropertySymbols(server).filter((name) => typeof Reflect.get(server, name) === 'function')
}

/**
 * Whether nobody would notice that a connection is not accepted by node:net: nobody but node:http itself listens to them, their
 * number, their time and that of their headers have no limit, and nobody is told of sockets.
 */
export function acceptsPlainly(server: HttpServer): boolean {
  if (server.maxConnections || server.timeout !== 0 || server.maxHeadersCount !== null) return false
  if (accepted.hasSubscribers) return false
  return server.listenerCount('connection') === 1 && listenerOf(server) === listenerOf(usual)
}

/** The one that listens to the connections of a server. */
function listenerOf(server: HttpServer | undefined): unknown {
  const events: unknown = server && Reflect.get(server, '_events')
  return typeof events === 'object' && events !== null ? Reflect.get(events, 'connection') : undefined
}
