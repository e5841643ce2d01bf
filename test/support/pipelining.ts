// Many requests in one write, and what their answers were.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SocketClient } from './socketClient.js'

/** More than one read holds. */
export const MANY = 2000

/** Request targets `/0`, `/1` and so on: whoever answers with them shows their order. */
export function gets(count: number, last: readonly string[] = []): string {
  const lines = Array.from({ length: count }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: x\r\n`)
  return `${lines.join('\r\n')}${last.map((line) => `${line}\r\n`).join('')}\r\n`
}

/** The bodies of answers that have a Content-Length each. */
export function bodiesOf(text: string): string[] {
  const bodies: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at) + 4
    if (end < 4) break
    const length = Number(/\r\nContent-Length: (\d+)/i.exec(text.slice(at, end))?.[1] ?? 0)
    if (end + length > text.length) break
    bodies.push(text.slice(end, end + length))
    at = end + length
  }
  return bodies
}

/** Resolves when the last answer is there. */
export function lastAnswer(client: SocketClient, body: string): Promise<void> {
  const there = (): boolean => client.received.subarray(-body.length).toString('latin1') === body
  return client.until(there, 'the last answer')
}

export const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => `/${at}`)

export function answerWithTarget({ url = '' }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Length': url.length }).end(url)
}
