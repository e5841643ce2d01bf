// Upgrade requests as text (Latin-1), and seeded ways to spoil them: both lanes of the handshake are fed the same ones.
import { Buffer } from 'node:buffer'

/** The key of RFC 6455, section 1.3, and what it must be answered with. */
export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const SAMPLE_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

const PLAIN: Readonly<Record<string, string>> = {
  Host: '127.0.0.1',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': SAMPLE_KEY,
  'Sec-WebSocket-Version': '13',
}

/** An upgrade request with some headers changed, added, or left out where the value is undefined. */
export function upgradeRequest(changes: Readonly<Record<string, string | undefined>> = {}, line?: string): string {
  const headers: Record<string, string | undefined> = { ...PLAIN, ...changes }
  return requestOf(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])),
    line,
  )
}

/** A request of these header lines. */
export function requestOf(lines: readonly string[], line = 'GET /chat?room=1 HTTP/1.1'): string {
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`
}

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** Seeded random numbers (mulberry32): `below(n)` is a whole number from 0 to n - 1. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
}

const BITS = ['\r', '\n', '\r\n', '\t', ' ', ':', ',', ';', '"', '\0', '\x7f', '\x80', '\xff', 'A', '/', '?', '#', '%']

const LINES = [
  'Connection: keep-alive',
  'Connection: close',
  'Connection: keep-alive,\tUpgrade',
  'Connection: Upgrade\t, x',
  'connection:upgrade',
  'Connection:\tUpgrade',
  'Connection: ,Upgrade',
  'Connection: x, Upgrade ,y',
  'Connection: upgradeX',
  'Connection: Upgrade;q=1',
  'Upgrade: WebSocket',
  'Upgrade: h2c',
  'Upgrade: h2c, websocket',
  'Upgrade:',
  'Upgrade: websocket/13',
  'Sec-WebSocket-Version: 8',
  'Sec-WebSocket-Version: 13, 8',
  'Sec-WebSocket-Version:13',
  'Sec-WebSocket-Key: AAAA',
  'Sec-WebSocket-Key:',
  'Host:',
  'Host: a b',
  'Content-Length: 0',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: x',
  'Expect: 100-continue',
  'TE: trailers',
  'Trailer: x',
  'Proxy-Connection: Upgrade',
  '__proto__: x',
  'constructor: y',
  'toString: z',
  'hasOwnProperty:',
  'Cookie: a=b; c=d',
  'Cookie: e=f',
  'X: \t padded \t ',
  'X :y',
  ' folded',
  ':empty',
  'X: \x01',
  'X: \xe9',
  '0: zero',
  'Keep-Alive: timeout=5',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
]

const REQUEST_LINES = [
  'GET / HTTP/1.0',
  'get / HTTP/1.1',
  'POST / HTTP/1.1',
  'HEAD / HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'GET http://x/ HTTP/1.1',
  'GET //x/../y HTTP/1.1',
  'GET /a#b?c%00 HTTP/1.1',
  'GET /{}|^`"<>\\ HTTP/1.1',
  'GET  / HTTP/1.1',
  'GET / HTTP/1.1 ',
  'GET / HTTP/2.0',
  'GET /\xe9 HTTP/1.1',
  'GET / http/1.1',
  'GET / ',
  'CONNECT x:1 HTTP/1.1',
  'PRI * HTTP/2.0',
  '',
]

/** Spoils, or only changes, a request in one to three places. */
export function mutate(request: string, random: Random): string {
  let text = request
  for (let times = 1 + random.below(3); times > 0; times--) text = mutateOnce(text, random)
  return text
}

function mutateOnce(text: string, random: Random): string {
  const lines = text.split('\r\n')
  const headers = Math.max(lines.length - 3, 1)
  const line = 1 + random.below(headers)
  const at = random.below(text.length + 1)
  switch (random.below(9)) {
    case 0:
      return text.slice(0, at) + random.pick(BITS) + text.slice(at)
    case 1:
      return text.slice(0, at) + random.pick(BITS) + text.slice(at + 1)
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random.below(3))
    case 3:
      return lines.with(Math.min(line, lines.length - 1), random.pick(LINES)).join('\r\n')
    case 4:
    case 5:
      return lines.toSpliced(line, 0, random.pick(LINES)).join('\r\n')
    case 6:
      return lines.toSpliced(line, 1).join('\r\n')
    case 7:
      return lines.with(0, random.pick(REQUEST_LINES)).join('\r\n')
    default:
      return changeCase(text, at)
  }
}

function changeCase(text: string, at: number): string {
  const end = Math.min(at + 12, text.length)
  const part = text.slice(at, end)
  return text.slice(0, at) + (part === part.toUpperCase() ? part.toLowerCase() : part.toUpperCase()) + text.slice(end)
}
