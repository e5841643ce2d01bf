// Plain HTTP answers of the target: a text, or JSON, in one piece.
import type { ServerResponse } from 'node:http'

type Headers = Readonly<Record<string, string>>

export function say(response: ServerResponse, status: number, text: string, headers: Headers = {}): void {
  const length = Buffer.byteLength(text)
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': length, ...headers }).end(text)
}

export function sayJson(response: ServerResponse, value: object): void {
  say(response, 200, `${JSON.stringify(value, undefined, 2)}\n`, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
  })
}
