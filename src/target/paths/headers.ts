// `/headers`: what of the request arrived here, as JSON. It is for looking through proxies.
import type { IncomingMessage } from 'node:http'
import type { Connection } from '../../connection/connection.js'
import { readCookies } from '../../protocol/cookies.js'
import { sayJson } from '../httpAnswer.js'
import type { TargetPath } from '../path.js'
import { socketPath } from '../socketPath.js'

/** Headers that are secrets, and the value that is shown instead. */
const SECRET = ['cookie', 'authorization', 'proxy-authorization']
const HIDDEN = '(hidden)'

type Shown = Readonly<Record<string, string | readonly string[] | undefined>>

export const headersPath: TargetPath = {
  ...socketPath({
    path: '/headers',
    about: 'tells as JSON what arrived: headers, cookies, subprotocol, extensions, address, TLS and HTTP version',
    example: '/headers',
    client:
      'sees what proxies on the way have changed; Cookie and Authorization are hidden unless the target shows them',
    parameters: {},
    decide: ({ protocols }) => ({ protocol: protocols[0] ?? '' }),
    visit({ connection, context: { showSecrets } }) {
      const tell = (): void => void connection.send(JSON.stringify(factsOf(connection, showSecrets)))
      tell()
      return { message: tell }
    },
  }),
  answer: (request, response, { showSecrets }) => sayJson(response, httpFactsOf(request, showSecrets)),
}

function factsOf({ request, protocol, deflateStatistics }: Connection, showSecrets: boolean): object {
  const { tls } = request
  return {
    target: request.target,
    httpVersion: request.httpVersion,
    headers: without(request.headers, showSecrets),
    cookies: cookies(request.cookies, showSecrets),
    offeredProtocols: request.protocols,
    protocol,
    extensions: deflateStatistics === undefined ? [] : ['permessage-deflate'],
    remoteAddress: request.remoteAddress,
    secure: request.secure,
    tls: tls === undefined ? undefined : { protocol: tls.protocol, cipher: tls.cipher?.name },
  }
}

function httpFactsOf(request: IncomingMessage, showSecrets: boolean): object {
  return {
    target: request.url,
    httpVersion: request.httpVersion,
    headers: without(request.headers, showSecrets),
    cookies: cookies(readCookies(request.headers.cookie), showSecrets),
    remoteAddress: request.socket.remoteAddress,
    secure: 'encrypted' in request.socket,
  }
}

function without(headers: Shown, showSecrets: boolean): Shown {
  const hide = (name: string): boolean => !showSecrets && SECRET.includes(name)
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, hide(name) ? HIDDEN : value]))
}

/** The names of cookies tell what arrived; their values are what lets somebody in. */
function cookies(given: Readonly<Record<string, string | undefined>>, showSecrets: boolean): Shown {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, showSecrets ? value : HIDDEN]))
}
