// The address that a client is given, read as ws reads it.

/** Reads an address; those of HTTP mean the same. Throws a SyntaxError. */
export function clientAddress(given: unknown): URL {
  const parsed = given instanceof URL ? given : parse(String(given), undefined)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return parsed
  const url = new URL(parsed)
  url.protocol = parsed.protocol === 'http:' ? 'ws:' : 'wss:'
  return url
}

/** Reads the address of a redirect. Throws a SyntaxError. */
export function parse(text: string, base: unknown): URL {
  if (URL.canParse(text, base === undefined ? undefined : String(base))) return new URL(text, base as string | URL)
  throw new SyntaxError(`Invalid URL: ${text}`)
}

/** What is wrong with an address; undefined if nothing is. */
export function addressMistake({ protocol, pathname, hash }: URL): SyntaxError | undefined {
  if (!['ws:', 'wss:', 'ws+unix:'].includes(protocol)) {
    return new SyntaxError('The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"')
  }
  if (protocol === 'ws+unix:' && pathname === '') return new SyntaxError("The URL's pathname is empty")
  return hash === '' ? undefined : new SyntaxError('The URL contains a fragment identifier')
}
