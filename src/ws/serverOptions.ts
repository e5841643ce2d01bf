// The options of WebSocketServer. They stay what they are for as long as the server lives: an object that the application
// may change, and that is read at each upgrade.
import type { Server as HttpServer, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { PerMessageDeflateOptions } from './perMessageDeflate.js'
import type { SocketClass } from './serverSocket.js'
import { WebSocket } from './webSocket.js'

/** What `verifyClient` is told. */
export interface ClientInfo {
  readonly origin: string | undefined
  readonly secure: boolean
  readonly req: IncomingMessage
}

/** Calls back whether a client may come in, and what it is told if not. */
export type Verified = (verified: unknown, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void

/** Is called with a callback if it has two parameters; otherwise it answers itself. */
export type Verify = (info: ClientInfo, ...callback: Verified[]) => unknown

/** The options of a server, as they are given. */
export interface ServerOptions {
  allowSynchronousEvents?: boolean | undefined
  autoPong?: boolean | undefined
  backlog?: number | null | undefined
  clientTracking?: boolean | undefined
  closeTimeout?: number | undefined
  handleProtocols?:
    | ((protocols: Set<string>, request: IncomingMessage) => string | false | undefined)
    | null
    | undefined
  host?: string | null | undefined
  maxBufferedChunks?: number | undefined
  maxFragments?: number | undefined
  maxPayload?: number | undefined
  maxPendingAutoPongs?: number | undefined
  noServer?: boolean | undefined
  path?: string | null | undefined
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
  port?: number | null | undefined
  server?: HttpServer | HttpsServer | null | undefined
  skipUTF8Validation?: boolean | undefined
  verifyClient?: Verify | null | undefined
  WebSocket?: SocketClass | undefined
}

/** The options of a server, none left out. */
export interface LiveOptions extends ServerOptions {
  WebSocket: SocketClass
}

const MIB = 1024 * 1024

/** What holds where nothing is given. */
function defaults(): LiveOptions {
  return {
    allowSynchronousEvents: true,
    autoPong: true,
    maxBufferedChunks: 256 * 1024,
    maxFragments: 16 * 1024,
    maxPayload: 100 * MIB,
    maxPendingAutoPongs: 60,
    skipUTF8Validation: false,
    perMessageDeflate: false,
    handleProtocols: null,
    clientTracking: true,
    closeTimeout: 30_000,
    verifyClient: null,
    noServer: false,
    backlog: null, // node:net has its own
    server: null,
    host: null,
    path: null,
    port: null,
    WebSocket,
  }
}

/** The options with what is not given. Throws a TypeError unless exactly one of port, server and noServer is there. */
export function liveOptions(given: ServerOptions | undefined): LiveOptions {
  const options: LiveOptions = { ...defaults(), ...(given as LiveOptions | undefined) }
  const places = [hasPort(options), Boolean(options.server), Boolean(options.noServer)].filter((is) => is)
  if (places.length !== 1) {
    throw new TypeError('One and only one of the "port", "server", or "noServer" options must be specified')
  }
  if (options.perMessageDeflate === true) options.perMessageDeflate = {}
  return options
}

/** Whether a server listens by itself. */
export function hasPort({ port }: ServerOptions): boolean {
  return port !== null && port !== undefined
}
