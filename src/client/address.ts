// Where a client connects to: the address that it is given, read once, and told apart from others by its origin.
import { callerError } from '../checks/errors.js'
import { shown } from '../checks/kinds.js'

/** Schemes, and what they mean; those of HTTP mean the same, as in browsers (WHATWG WebSockets, section 3.1). */
const schemes: Readonly<Record<string, string>> = { 'ws:': 'ws:', 'wss:': 'wss:', 'http:': 'ws:', 'https:': 'wss:' }

/** Reads the address of a server. Throws a TypeError for what is none. */
export function readAddress(given: unknown, base?: URL): URL {
  const url = typeof given === 'string' || given instanceof URL ? parsed(String(given), base) : undefined
  const scheme = url === undefined ? undefined : schemes[url.protocol]
  if (url === undefined || scheme === undefined) {
    const found = typeof given === 'string' || given instanceof URL ? 'an address of another kind' : shown(given)
    throw callerError('ERR_CONNECT_ADDRESS', `the address of a server begins with ws:// or wss://, and is not ${found}`)
  }
  if (url.href.includes('#')) throw callerError('ERR_CONNECT_ADDRESS', 'the address of a server has no fragment')
  url.protocol = scheme
  return url
}

function parsed(text: string, base: URL | undefined): URL | undefined {
  return URL.canParse(text, base?.href) ? new URL(text, base) : undefined
}

/** The address as errors show it: without the user's name and password, and without the query, which may hold a token. */
export function shownAddress({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

/** Whether credentials for the one are meant for the other as well. */
export function hasSameOrigin(one: URL, other: URL): boolean {
  return one.protocol === other.protocol && one.host === other.host
}

/** The host as node:net takes it: an IPv6 address without its brackets. */
export function hostIn({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

/** The user's name and password, decoded, with a colon between them; undefined without both. */
export function credentialsIn({ username, password }: URL): string | undefined {
  return username === '' && password === '' ? undefined : `${decoded(username)}:${decoded(password)}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
