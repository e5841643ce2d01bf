// An adapter of crossws for millrace, as crossws has them for other servers. The classes that its own adapters are made of are
// exported as types only, so they are taken from where they lie; inside of crossws these lines are imports. Needs `npm install
// crossws`.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type * as crossws from 'crossws'
import { type Connection, createServer, type DeflateOptions, type Server, type ServerOptions } from 'millrace'

type HookName = Exclude<keyof crossws.Hooks, 'upgrade'>

/** How crossws calls hooks. */
interface Hookable {
  callHook(name: HookName, peer: crossws.Peer, argument?: unknown): unknown
  upgrade(request: Request): Promise<{
    readonly context: crossws.PeerContext
    readonly namespace: string
    readonly upgradeHeaders?: ConstructorParameters<typeof Headers>[0]
    readonly endResponse?: Response
    readonly handled?: boolean
    readonly perMessageDeflate?: boolean | crossws.PerMessageDeflateOptions
  }>
}

interface Shared {
  AdapterHookable: new (options: crossws.AdapterOptions) => Hookable
  adapterUtils(peers: Peers, options: crossws.AdapterOptions): crossws.AdapterInstance
  getPeers(peers: Peers, namespace: string): Set<crossws.Peer>
  toBufferLike(data: unknown): string | Uint8Array | ArrayBuffer
}

type Peers = Map<string, Set<crossws.Peer>>

const chunk = (name: string) => import(new URL(`_chunks/${name}.mjs`, import.meta.resolve('crossws')).href)
const { AdapterHookable, adapterUtils, getPeers, toBufferLike }: Shared = await chunk('adapter')
const { Message, Peer }: { Message: typeof crossws.Message; Peer: typeof crossws.Peer } = await chunk('peer')
const { WSError }: { WSError: typeof crossws.WSError } = await chunk('error')
const { StubRequest }: { StubRequest: new (url: string, init: RequestInit) => Request } = await chunk('_request')

/** A connection's `data`. */
interface Upgraded {
  readonly request: Request
  readonly context: crossws.PeerContext
  readonly namespace: string
  peer?: MillracePeer
}

export interface MillraceOptions extends crossws.AdapterOptions {
  /** Options of millrace: limits, `deflate`, `origins` and so on. */
  readonly server?: Partial<ServerOptions<Upgraded>>
}

export interface MillraceAdapter extends crossws.AdapterInstance {
  /** The listener of an HTTP server's event `'upgrade'`. */
  handleUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer, request?: Request): Promise<void>
  closeAll(code?: number, reason?: string, force?: boolean): void
  readonly server: Server<Upgraded>
}

/** Makes the adapter. A hook that throws or rejects costs its own peer the connection, with 1011, and is told to the hook `error`. */
export function millraceAdapter(options: MillraceOptions = {}): MillraceAdapter {
  const hooks = new AdapterHookable(options)
  const peers: Peers = new Map()
  const utils = adapterUtils(peers, options)
  const silence = (options.idleTimeout ?? 30) * 1000

  const server = createServer<Upgraded>({
    pingInterval: silence,
    idleTimeout: 2 * silence,
    ...options.server,
    upgrade: () => ({ status: 404 }), // every upgrade has an answer
    open(connection) {
      const { namespace, request, context } = connection.data
      const ws = new Socket(connection)
      const own = getPeers(peers, namespace)
      const { sync } = utils
      const peer = new MillracePeer({ ws, request, context, namespace, hooks, peers: own, ...(sync && { sync }) })
      connection.data.peer = peer
      own.add(peer)
      return hooks.callHook('open', peer)
    },
    message: ({ data: { peer } }, message) =>
      peer && hooks.callHook('message', peer, new Message(message.isText ? message.text() : message.bytes, peer)),
    drain: ({ data: { peer } }) => peer && hooks.callHook('drain', peer),
    ping: ({ data: { peer } }, data) => peer && hooks.callHook('ping', peer, data),
    pong(connection, data) {
      const { peer } = connection.data
      // Pings without a payload are those by which millrace finds out who has gone.
      if (peer !== undefined && data.length > 0) return hooks.callHook('pong', peer, data)
    },
    error: ({ data: { peer } }, error) => peer && hooks.callHook('error', peer, new WSError(error)),
    close({ data: { peer, namespace } }, code, reason) {
      if (peer === undefined) return
      getPeers(peers, namespace).delete(peer)
      peer.ended()
      return hooks.callHook('close', peer, { code, reason })
    },
  })

  return {
    ...utils,
    server,
    async handleUpgrade(incoming, socket, head, request = requestOf(incoming)) {
      socket.on('error', () => socket.destroy()) // nobody else listens until it is handed over
      const answer = await decide(hooks, request).catch((error) => {
        console.error(error)
        return { status: 500 }
      })
      if (answer !== undefined) server.handleUpgrade(incoming, socket, head, answer)
    },
    closeAll(code, reason, force = false) {
      for (const connection of server.connections) {
        if (force) connection.terminate()
        else connection.close(code, reason)
      }
    },
  }
}

/** What the hooks say of a request, as an answer of millrace; undefined if a hook has taken the socket. */
async function decide(hooks: Hookable, request: Request) {
  if (!URL.canParse(request.url)) return { status: 400 } // a stranger's host may be anything
  const { endResponse, handled, upgradeHeaders, context, namespace, perMessageDeflate } = await hooks.upgrade(request)
  if (endResponse !== undefined) {
    const status = endResponse.status < 300 ? 400 : endResponse.status // to an upgrade, success is no refusal
    return { status, headers: allowed(endResponse.headers), body: await endResponse.text() }
  }
  if (handled === true) return undefined
  const headers = new Headers(upgradeHeaders)
  const protocol = headers.get('sec-websocket-protocol')
  return {
    data: { request, context, namespace },
    headers: allowed(headers),
    ...(protocol !== null && { protocol }),
    ...(perMessageDeflate !== undefined && { deflate: deflateOf(perMessageDeflate) }),
  }
}

class MillracePeer extends Peer<crossws.AdapterInternal & { readonly ws: Socket; readonly hooks: Hookable }> {
  override get context(): crossws.PeerContext {
    return this._internal.context ?? {}
  }

  override get remoteAddress(): string | undefined {
    return this._internal.ws.connection.remoteAddress
  }

  send(data: unknown, options?: { compress?: boolean }): number {
    const { connection } = this._internal.ws
    // Messages are compressed by their length, if that was agreed on, unless they must not be.
    connection.send(toBufferLike(data), options?.compress === false ? { compress: false } : {})
    return connection.bufferedAmount
  }

  override subscribe(topic: string): void {
    this._internal.ws.connection.subscribe(this.#name(topic))
    super.subscribe(topic)
  }

  override unsubscribe(topic: string): void {
    this._internal.ws.connection.unsubscribe(this.#name(topic))
    super.unsubscribe(topic)
  }

  _publish(topic: string, data: unknown): void {
    this._internal.ws.connection.publish(this.#name(topic), toBufferLike(data))
  }

  ended(): void {
    this._internal.ws.closed = true
  }

  close(code?: number, reason?: string): void {
    this._internal.ws.connection.close(code, reason)
  }

  override terminate(): void {
    this._internal.ws.connection.terminate()
  }

  override ping(data?: unknown): void {
    try {
      this._internal.ws.connection.ping(data === undefined ? undefined : toBufferLike(data))
    } catch (error) {
      this._internal.hooks.callHook('error', this, new WSError(error))
    }
  }

  /** Namespaces share the topics of one server, and topics of millrace have up to 255 bytes. */
  #name(topic: string): string {
    const name = JSON.stringify([this.namespace, topic])
    return Buffer.byteLength(name) <= 255 ? name : createHash('sha256').update(name).digest('hex')
  }
}

/** What `peer.websocket` shows; crossws fills in the URL from the request. */
class Socket {
  readonly connection: Connection<Upgraded>
  closed = false

  constructor(connection: Connection<Upgraded>) {
    this.connection = connection
  }

  get readyState(): number {
    if (this.connection.isOpen) return 1
    return this.closed ? 3 : 2
  }

  get protocol(): string {
    return this.connection.protocol
  }

  get bufferedAmount(): number {
    return this.connection.bufferedAmount
  }
}

/** Without the headers that belong to the handshake, or to a body. */
function allowed(headers: Headers): [string, string][] {
  return [...headers].filter(
    ([name]) => !/^(?:connection|upgrade|sec-websocket-.*|content-length|transfer-encoding)$/.test(name),
  )
}

/** Options as ws has them: without context takeover there is a threshold, and with it everything is compressed. */
function deflateOf(given: boolean | crossws.PerMessageDeflateOptions): boolean | DeflateOptions {
  if (typeof given === 'boolean') return given && deflateOf({})
  const { serverNoContextTakeover = false, clientNoContextTakeover = false } = given
  const { serverMaxWindowBits, clientMaxWindowBits, threshold = 1024 } = given
  return {
    contextTakeover: { server: !serverNoContextTakeover, client: !clientNoContextTakeover },
    windowBits: {
      ...(serverMaxWindowBits !== undefined && { server: serverMaxWindowBits }),
      ...(clientMaxWindowBits !== undefined && { client: clientMaxWindowBits }),
    },
    threshold: serverNoContextTakeover ? threshold : 0,
  }
}

/** The request as hooks get it, if a framework has made none. */
function requestOf({ headers, url, socket }: IncomingMessage): Request {
  const secure = 'encrypted' in socket || headers['x-forwarded-proto'] === 'https'
  const target = `${secure ? 'https' : 'http'}://${headers.host ?? 'localhost'}${url}`
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
  return new StubRequest(target, { headers: pairs })
}
