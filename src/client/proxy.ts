// The way through an HTTP proxy (CONNECT, RFC 9110, section 9.3.6), by https-proxy-agent, which only those install who have one.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Agent, ClientRequest, IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { callerError } from '../checks/errors.js'
import { packageFor } from '../internals/packages.js'
import { LONGEST_HEAD } from './connectError.js'
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
  const agent = new HttpsProxyAgent(text, { keepAlive: false, ...connecting })
  const dial = agent.connect.bind(agent)
  agent.connect = (request, options) => watched(request, () => dial(request, options))
  return agent
}

/** The package reads what the proxy answers until it finds the end of a head: it must not wait for that for ever. */
function watched<Result>(request: ClientRequest, dial: () => Result): Result {
  const watch = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket }
    const look = (): void => {
      if (socket.bytesRead <= LONGEST_HEAD) return
      const problem = `the proxy answers with a head of more than ${LONGEST_HEAD} bytes`
      socket.destroy(callerError('ERR_CONNECT_UNREACHABLE', problem))
    }
    socket.prependListener('readable', look)
    request.once('proxyConnect', () => socket.off('readable', look))
  }
  // The socket is made in this call, and the package shows it to nobody before it has found that end.
  subscribe('net.client.socket', watch)
  try {
    return dial()
  } finally {
    unsubscribe('net.client.socket', watch)
  }
}
