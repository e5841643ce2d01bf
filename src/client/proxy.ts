// The way through an HTTP proxy (CONNECT, RFC 9110, section 9.3.6), by https-proxy-agent, which only those install who have one.
import type { Agent } from 'node:http'
import { callerError } from '../checks/errors.js'
import { packageFor } from '../internals/packages.js'

/** An agent that connects through the proxy at this address. Throws a TypeError for an address of another kind. */
export function proxyAgent(address: string | URL): Agent {
  const text = String(address)
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw callerError('ERR_OPTION_KIND', 'proxy must be the address of an HTTP proxy: http://proxy.example:3128')
  const { HttpsProxyAgent } = packageFor<typeof import('https-proxy-agent')>('the option proxy', 'https-proxy-agent')
  return new HttpsProxyAgent(text, { keepAlive: false })
}
