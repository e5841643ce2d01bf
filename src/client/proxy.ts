// The way through an HTTP proxy (CONNECT, RFC 9110, section 9.3.6), by https-proxy-agent, which only those install who have one.
import type { Agent, IncomingHttpHeaders } from 'node:http'
import { callerError } from '../checks/errors.js'
import { packageFor } from '../internals/packages.js'
import type { Reach } from './options.js'

/** What a proxy has answered to CONNECT, as the package tells it. */
export interface ProxyAnswer {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
}

/**
 * An agent that connects through the proxy at this address. The socket to the proxy ends when `signal` is aborted: until
 * the proxy has answered, nobody else has hold of it. Throws a TypeError for an address of another kind.
 */
export function proxyAgent(
  address: string | URL,
  { lookup, localAddress }: Pick<Reach, 'lookup' | 'localAddress'>,
  signal: AbortSignal,
): Agent {
  const text = String(address)
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw callerError('ERR_OPTION_KIND', 'proxy must be the address of an HTTP proxy: http://proxy.example:3128')
  const { HttpsProxyAgent } = packageFor<typeof import('https-proxy-agent')>('the option proxy', 'https-proxy-agent')
  const connecting = { signal, ...(lookup && { lookup }), ...(localAddress !== undefined && { localAddress }) }
  return new HttpsProxyAgent(text, { keepAlive: false, ...connecting })
}
