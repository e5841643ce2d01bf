// The strict reading of a plain upgrade request that arrived in one piece. It takes only what every HTTP parser reads
// the same way; of anything else it says "not sure", and node:http decides.
import { trimmed } from './fieldValue.js'
import type { HandshakeRequest } from './openingHandshake.js'

const REQUEST_LINE = /^GET (\/[!-~]*) HTTP\/1\.1\r\n/
// RFC 9110, sections 5.1 and 5.5: a token, a colon, visible ASCII and blanks; tabs are allowed there, but not everyone
// reads them the same. Nothing here backtracks: the value is cut by the line's end and trimmed afterwards.
const HEADER_LINE = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([ -~]*)\r\n/y

/** Headers that change how long a request is or what it waits for: never plain. So is a Content-Length, unless it is 0. */
const notPlain = new Set(['transfer-encoding', 'expect', 'te', 'trailer', 'proxy-connection', 'http2-settings'])

/** Longer heads, and heads with more headers, may exceed the limits of node:http, so node:http decides about them. */
const LONGEST_HEAD = 8192
const MOST_HEADERS = 64

/** A request head, and how many characters of the input it took. */
export interface RequestHead {
  readonly request: HandshakeRequest
  readonly length: number
}

/** Reads a request head from `input` (Latin-1, the bytes of one read); undefined where this lane is not sure. */
export function readRequestHead(input: string): RequestHead | undefined {
  const line = REQUEST_LINE.exec(input)
  const target = line?.[1]
  if (line === null || target === undefined) return undefined
  const headers: Record<string, string> = Object.create(null)
  let at = line[0].length
  let count = 0
  while (input.charCodeAt(at) !== 13) {
    if (++count > MOST_HEADERS || at > LONGEST_HEAD) return undefined
    HEADER_LINE.lastIndex = at
    const header = HEADER_LINE.exec(input)
    const name = header?.[1]?.toLowerCase()
    if (header === null || name === undefined || headers[name] !== undefined || notPlain.has(name)) return undefined
    const value = trimmed(header[2] ?? '')
    if (name === 'content-length' && value !== '0') return undefined
    headers[name] = value
    at += header[0].length
  }
  if (input.charCodeAt(at + 1) !== 10 || at > LONGEST_HEAD) return undefined
  return { request: { method: 'GET', target, httpVersion: '1.1', headers, repeated: [] }, length: at + 2 }
}
