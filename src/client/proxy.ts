// The way through an HTTP proxy (CONNECT, RFC 9110, section 9.3.6), by node:http, which reads what the proxy answers: no more of
// it than of any other head.
import { Buffer } from 'node:buffer'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { callerError } from '../checks/errors.js'
import { credentialsIn, hostIn } from './address.js'
import { connectError, LONGEST_HEAD } from './connectError.js'
import { lookupOption } from './hostLookup.js'
import type { Reach } from './options.js'

/** Where a proxy is to lead. */
export interface Behind {
  /** The server's address, for errors. */
  readonly address: string
  readonly host: string
  readonly port: string | number
  /** The options of TLS, if the server speaks it. */
  readonly tls: ConnectionOptions | undefined
}

/** What it leads to: one of them is called once. */
export interface Way {
  readonly signal: AbortSignal
  opened(socket: Socket): void
  failed(error: Error): void
  /** The way was there, and node:tls has thrown, because an option is wrong. */
  threw(error: unknown): void
}

/** Reads the address of a proxy. Throws a TypeError for an address of another kind. */
export function readProxy(address: string | URL): URL {
  const text = String(address)
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text)
  throw callerError('ERR_OPTION_KIND', 'proxy must be the address of an HTTP proxy: http://proxy.example:3128')
}

/**
 * Asks a proxy for a way to a server. What is on that way ends when the signal is aborted. Errors of the proxy's own answer are
 * ConnectErrors, others those of node:http.
 */
export function throughProxy(proxy: URL, reach: Reach, behind: Behind, way: Way): void {
  const request = asked(proxy, reach, behind, way.signal)
  const fail = (problem: string, cause?: Error): void =>
    way.failed(
      connectError('ERR_CONNECT_UNREACHABLE', behind.address, `cannot be reached: the proxy ${problem}`, { cause }),
    )
  request.once('error', (error) => (isNoHttp(error) ? fail(flawIn(error), error) : way.failed(error)))
  request.once('connect', (response, socket: Socket, early: Buffer) => {
    request.on('error', ignored) // its end is told by the socket from now on
    socket.on('error', ignored) // also where that ends before it has another owner
    const refusal = refusalOf(response, behind)
    if (refusal === undefined) return enter(socket, early, behind, way)
    socket.destroy()
    way.failed(refusal)
  })
  request.end()
}

function ignored(): void {}

function asked(
  proxy: URL,
  { lookup, localAddress, tls }: Reach,
  { host, port }: Behind,
  signal: AbortSignal,
): ClientRequest {
  const secure = proxy.protocol === 'https:'
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const credentials = credentialsIn(proxy)
  return (secure ? httpsRequest : httpRequest)({
    method: 'CONNECT',
    host: hostIn(proxy),
    port: proxy.port === '' ? (secure ? 443 : 80) : proxy.port,
    path: target,
    headers: {
      Host: target,
      ...(credentials !== undefined && {
        'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}`,
      }),
    },
    agent: false,
    maxHeaderSize: LONGEST_HEAD,
    signal,
    ...(secure && tls?.ca !== undefined && { ca: tls.ca }),
    ...lookupOption(lookup),
    ...(localAddress !== undefined && { localAddress }),
  })
}

/**
 * Any 2xx opens the way (RFC 9110, section 9.3.6). What a proxy answers instead is not the server's: neither its status, nor where
 * it redirects to.
 */
function refusalOf({ statusCode = 0, headers }: IncomingMessage, { address }: Behind): Error | undefined {
  if (statusCode >= 200 && statusCode < 300) return undefined
  const problem = `cannot be reached: the proxy has answered ${statusCode}`
  return connectError('ERR_CONNECT_UNREACHABLE', address, problem, { response: { status: statusCode, headers } })
}

function isNoHttp({ code = '' }: NodeJS.ErrnoException): boolean {
  return code.startsWith('HPE_')
}

function flawIn({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'HPE_HEADER_OVERFLOW') return `answers with a head of more than ${LONGEST_HEAD} bytes`
  return `does not speak HTTP (${message.toLowerCase()})`
}

/** The way is there. What throws here would throw in a listener, where nobody can catch it. */
function enter(socket: Socket, early: Buffer, behind: Behind, way: Way): void {
  let opened: Socket
  try {
    opened = entered(socket, early, behind)
  } catch (error) {
    socket.destroy()
    return way.threw(error)
  }
  way.opened(opened)
}

/** What comes from now on is the server's. */
function entered(socket: Socket, early: Buffer, { host, tls }: Behind): Socket {
  if (early.length > 0) socket.unshift(early)
  if (tls === undefined) return socket
  const servername = isIP(host) === 0 ? { servername: host } : undefined
  return connectTls({ ALPNProtocols: ['http/1.1'], host, ...servername, ...tls, socket })
}
