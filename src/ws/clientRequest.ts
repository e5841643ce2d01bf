// The request of a client that dials, by node:http: the options of the program, and what the handshake adds to them.
import { type ClientRequest, request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import type { RequestOptions } from 'node:https'
import { connect as connectTcp, isIP, type NetConnectOpts } from 'node:net'
import { unescape as unescapeQuery } from 'node:querystring'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { httpsModule, tlsModule } from '../internals/tls.js'
import type { FullOptions } from './clientOptions.js'
import { format } from './extension.js'
import { PerMessageDeflate } from './perMessageDeflate.js'

/** What one request is made of. */
export interface Asking {
  readonly options: FullOptions
  readonly url: URL
  readonly key: string
  readonly protocols: readonly string[]
  readonly deflate: PerMessageDeflate | undefined
}

/** The options of node:http for a request. Those that say where it goes are the address's. */
export function requestOptions({
  options,
  url,
  key,
  protocols,
  deflate,
}: Asking): RequestOptions & { headers: Headers } {
  const isSecure = url.protocol === 'wss:'
  const port = isSecure ? 443 : 80
  const path = url.pathname + url.search
  const colon = path.indexOf(':')
  const ipc =
    url.protocol === 'ws+unix:'
      ? { socketPath: colon < 0 ? path : path.slice(0, colon), path: colon < 0 ? '' : path.slice(colon + 1) }
      : { socketPath: undefined, path }
  const dial = (isSecure ? secureDial : plainDial) as unknown as RequestOptions['createConnection']
  return {
    ...options,
    ...ipc,
    hostname: undefined,
    protocol: undefined,
    method: 'GET',
    createConnection: options.createConnection ?? dial,
    defaultPort: options.defaultPort || port,
    port: url.port || port,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    timeout: options.handshakeTimeout,
    auth: url.username || url.password ? `${unescapeQuery(url.username)}:${unescapeQuery(url.password)}` : options.auth,
    headers: headersOf({ options, key, protocols, deflate }),
  }
}

/** The headers of a request, as they may be changed until it is sent. */
export type Headers = OutgoingHttpHeaders

function headersOf({ options, key, protocols, deflate }: Omit<Asking, 'url'>): Headers {
  const headers: Headers = {
    ...(options.headers as Headers | undefined),
    'Sec-WebSocket-Version': options.protocolVersion,
    'Sec-WebSocket-Key': key,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
  }
  if (deflate !== undefined) {
    headers['Sec-WebSocket-Extensions'] = format({ [PerMessageDeflate.extensionName]: deflate.offer() })
  }
  if (protocols.length > 0) headers['Sec-WebSocket-Protocol'] = protocols.join(',')
  if (options.origin) headers[options.protocolVersion < 13 ? 'Sec-WebSocket-Origin' : 'Origin'] = options.origin
  return headers
}

/** Makes the request, which is not sent yet. */
export function requestFor(url: URL, options: RequestOptions): ClientRequest {
  return url.protocol === 'wss:' ? httpsModule().request(options) : httpRequest(options)
}

function plainDial(options: RequestOptions): Duplex {
  return connectTcp({ ...options, path: options.socketPath } as NetConnectOpts)
}

function secureDial(options: RequestOptions & ConnectionOptions): Duplex {
  const { host } = options
  const servername = options.servername ?? (host && isIP(host) === 0 ? host : '')
  return tlsModule().connect({ ...options, path: undefined, servername } as ConnectionOptions)
}
