// What a client makes of an answer that opens no connection: an error, or another address to try (RFC 9110, section 15.4).
import { hasSameOrigin, readAddress, shownAddress } from './address.js'
import { connectError } from './connectError.js'
import type { UpgradeResponse } from './upgradeResponse.js'

/** What was asked, and how often the client has been sent elsewhere. */
export interface Redirected {
  /** The address that the application has given. */
  readonly first: URL
  /** The address that has answered. */
  readonly url: URL
  readonly redirects: number
  readonly followRedirects: number
}

const REDIRECTS = [301, 302, 303, 307, 308]

/** Where an answer leads; `words` is what the server says of its status. Throws a ConnectError if it leads nowhere. */
export function nextAddress(response: UpgradeResponse, words: string, asked: Redirected): URL {
  const isRedirect = REDIRECTS.includes(response.status) && response.headers.location !== undefined
  if (isRedirect && asked.followRedirects > 0) return targetOf(response, asked)
  const { location } = response.headers
  const where = location === undefined ? '' : ` (to ${location})`
  const problem = `${`refused: ${response.status} ${words}`.trimEnd()}${where}`
  throw connectError('ERR_CONNECT_REFUSED', shownAddress(asked.url), problem, { response })
}

function targetOf(response: UpgradeResponse, { first, url, redirects, followRedirects }: Redirected): URL {
  const fail = (problem: string): Error =>
    connectError('ERR_CONNECT_REDIRECT', shownAddress(url), problem, { response })
  if (redirects >= followRedirects) throw fail(`redirects once more, after ${followRedirects} redirects`)
  const base = new URL(url)
  let target: URL
  try {
    target = readAddress(response.headers.location, base)
  } catch {
    throw fail(`redirects to an address that is none: ${response.headers.location}`)
  }
  if (url.protocol === 'wss:' && target.protocol === 'ws:') throw fail('redirects from wss: to ws:')
  // A name and a password in the address are credentials: a server can't give the client any.
  const keeps = hasSameOrigin(target, first)
  target.username = keeps ? first.username : ''
  target.password = keeps ? first.password : ''
  return target
}
