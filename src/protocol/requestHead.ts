// The strict reading of a plain upgrade request that arrived in one piece. It takes only what every HTTP parser reads
// the same way; of anything else it says "not sure", and node:http decides.
import type { UpgradeRequest } from './openingHandshake.js'

const REQUEST_LINE = /^GET (\/[!-~]*) HTTP\/1\.1\r\n/
// RFC 9110, section 5.1 and 5.5: a token, a colon, visible ASCII with single blanks inside. Nothing here backtracks:
// the value is cut by the line's end and trimmed afterwards.
const HEADER_LINE = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~]*)\r\n/y

/** Headers that change how long a request is or what it waits for: never plain. */
const notPlain = new Set([
  'content-length',
  'transfer-encoding',
  'expect',
  'te',
  'trailer',
  'proxy-connection',
  'http2-settings',
])

/** A request head, and how many characters of the input it took. */
export interface RequestHead {
  readonly request: UpgradeRequest
  readonly length: number
}

/** Reads a request head from `input` (Latin-1, the bytes of one read); undefined where this lane is not sure. */
export function readRequestHead(input: string): RequestHead | undefined {
  const line = REQUEST_LINE.exec(input)
  const target = line?.[1]
  if (line === null || target === undefined) return undefined
  const headers: Record<string, string> = Object.create(null)
  let at = line[0].length
  while (input.charCodeAt(at) !== 13) {
    HEADER_LINE.lastIndex = at
    const header = HEADER_LINE.exec(input)
    const name = header?.[1]?.toLowerCase()
    if (header === null || name === undefined || headers[name] !== undefined || notPlain.has(name)) return undefined
    headers[name] = trimBlanks(header[2] ?? '')
    at += header[0].length
  }
  if (input.charCodeAt(at + 1) !== 10) return undefined
  return { request: { method: 'GET', target, httpVersion: '1.1', headers, repeated: [] }, length: at + 2 }
}

function trimBlanks(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start++
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
