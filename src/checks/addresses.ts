// What origins, subprotocols and certificates must look like: an entry that can match nothing is a mistake, too.
import { type Kind, listOf, shown } from './kinds.js'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/

export const origins: Kind = listOf("a list of origins, 'self' and patterns", wrongOrigin)

/** What is wrong with an entry of `origins`: an Origin header is a scheme, a host, and a port unless it is the usual. */
function wrongOrigin(entry: unknown): string | undefined {
  if (entry instanceof RegExp || Object.prototype.toString.call(entry) === '[object RegExp]') return undefined
  if (typeof entry !== 'string') return `${shown(entry)} is not an origin: write 'https://example.com', or a RegExp`
  if (entry === 'self' || entry === 'null') return undefined
  if (entry === '*') return "'*' is not an origin: to accept all origins, leave the option out"
  if (entry.includes('*'))
    return `${shown(entry)} is not an origin: write a pattern as a RegExp, /^https:\\/\\/[a-z0-9-]+\\.example\\.com$/`
  const usual = usualForm(entry)
  if (usual === entry) return undefined
  const advice = usual === undefined ? "write 'https://example.com'" : `browsers write ${shown(usual)}`
  return `${shown(entry)} is not an origin: ${advice}`
}

/** An origin as browsers write it; undefined for what is none. */
function usualForm(entry: string): string | undefined {
  if (!URL.canParse(entry)) return undefined
  const { protocol, origin, host } = new URL(entry)
  if (protocol === 'http:' || protocol === 'https:') return origin
  return SCHEME.test(entry) && host !== '' ? entry : undefined
}

export const protocols: Kind = listOf('a list of subprotocols', (entry) => {
  if (typeof entry === 'string' && TOKEN.test(entry)) return undefined
  return `${shown(entry)} is not a subprotocol: write each one as an entry of its own, without blanks and commas`
})

/** Whom to trust is for TrustedProxies to read; here, it must be a list. */
export const proxies: Kind = {
  words: 'a list of addresses',
  is: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
  advice: (value) =>
    typeof value === 'string'
      ? `write [${shown(value)}]`
      : "name the proxies whose X-Forwarded-For header is true: ['127.0.0.1', '10.0.0.0/8']",
}

/** Texts that node:tls takes in PEM. If a caller gives the name of a file instead, OpenSSL's error would not say so. */
export const pem: Kind = contents('PEM', (text) => text.includes('-----BEGIN'))

/** DER begins with 0x30, the tag of a sequence. */
export const pkcs12: Kind = contents('PKCS #12', (text) => text.startsWith('0'))

/** Parameters for Diffie-Hellman, or node:tls's choice of them. */
export const dhParameters: Kind = contents("PEM, or 'auto'", (text) => text === 'auto' || text.includes('-----BEGIN'))

function contents(format: string, reads: (text: string) => boolean): Kind {
  const isText = (value: unknown): boolean => typeof value === 'string' && !reads(value)
  const isName = (value: unknown): boolean =>
    isText(value) ||
    (typeof value === 'object' && value !== null && isText(Reflect.get(value, 'pem') ?? Reflect.get(value, 'buf')))
  return {
    words: `the contents of the file (${format}), as a string or a Buffer`,
    secret: true,
    is: (value) => typeof value !== 'boolean' && typeof value !== 'number' && ![value].flat().some(isName),
    advice: (value) => ([value].flat().some(isName) ? 'read the file: readFileSync(path)' : undefined),
  }
}
