// The headers of a client's request (RFC 6455, section 4.1): those of the handshake, and the application's own, of which
// credentials do not travel to another origin.
import type { ConnectionOptions } from 'node:tls'
import { callerError } from '../checks/errors.js'
import { checkHeaders } from '../protocol/openingHandshake.js'
import { withSafeCheck } from './identityCheck.js'
import type { Reach, RequestHeaders } from './options.js'

/** Headers that only the handshake may set, besides those that `checkHeaders` knows. */
const handshake = ['host', 'sec-websocket-key', 'sec-websocket-version']

/** Headers that say who asks: by their names, which everybody chooses for themselves. */
const CREDENTIALS =
  /^(?:authorization|proxy-authorization|cookie2?)$|auth|api-?key|credential|password|secret|session|token/i

/** What a cookie's name and value may consist of (RFC 6265, section 4.1.1), leniently: what can't end it. */
const COOKIE = /^[ -:<-~\x80-\xff]*$/

/** Throws a TypeError for headers and cookies that must not be sent. */
export function checkRequest({
  headers = {},
  cookies = {},
  origin = '',
}: Pick<Reach, 'headers' | 'cookies' | 'origin'>): void {
  for (const [name, fields] of Object.entries({ headers, cookies })) {
    // A Map, or the Headers of fetch, has no properties of its own: it would send nothing without a word.
    if (Symbol.iterator in fields)
      throw callerError('ERR_OPTION_KIND', `${name} must be an object: write Object.fromEntries(${name})`)
  }
  checkHeaders({ ...headers, Origin: origin })
  for (const name of Object.keys(headers)) {
    if (handshake.includes(name.toLowerCase())) throw callerError('ERR_HEADER', `the handshake sets ${name} itself`)
  }
  for (const [name, value] of Object.entries(cookies)) {
    const isPair = typeof value === 'string' && name !== '' && !name.includes('=') && !name.includes(' ')
    if (!isPair || !COOKIE.test(name) || !COOKIE.test(value))
      throw callerError(
        'ERR_HEADER',
        `the cookie ${JSON.stringify(name)} has a name or a value that no cookie may have`,
      )
  }
}

/** The application's headers; without credentials where the request goes to another origin than the address it was given. */
export function ownHeaders(options: Reach, sameOrigin: boolean): Record<string, string | string[]> {
  const { headers = {}, cookies, origin } = options
  const own = Object.entries(headers).filter(([name]) => sameOrigin || !CREDENTIALS.test(name))
  const all: Record<string, string | string[]> = Object.fromEntries(own.map(([name, value]) => [name, copied(value)]))
  const pairs = Object.entries(cookies ?? {}).map(([name, value]) => `${name}=${value}`)
  if (pairs.length > 0 && sameOrigin) {
    for (const name of Object.keys(all)) if (name.toLowerCase() === 'cookie') delete all[name]
    all['Cookie'] = [cookiesIn(headers), ...pairs].filter(Boolean).join('; ')
  }
  if (origin !== undefined) all['Origin'] = origin
  return all
}

/** Options of TLS that say who this client is, or which server is meant: they are for the origin that they were given for. */
const OF_ORIGIN: readonly string[] = [
  ...[
    'cert',
    'key',
    'pfx',
    'passphrase',
    'secureContext',
    'clientCertEngine',
    'privateKeyEngine',
    'privateKeyIdentifier',
  ],
  ...['pskCallback', 'session', 'servername', 'checkServerIdentity', 'socket'],
]

/** The options of TLS; without client certificates and names where the request goes to another origin. */
export function ownTls({ tls = {} }: Reach, sameOrigin: boolean): ConnectionOptions {
  if (sameOrigin) return withSafeCheck(tls)
  return Object.fromEntries(Object.entries(tls).filter(([name]) => !OF_ORIGIN.includes(name)))
}

function copied(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value]
}

/** The cookies of the option `headers`, if there are any. */
function cookiesIn(headers: RequestHeaders): string {
  const [, value = ''] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'cookie') ?? []
  return typeof value === 'string' ? value : value.join('; ')
}
