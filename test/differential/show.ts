// What a program has observed, as values that can be compared: each of its kind, and nothing that differs from run to run.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { IncomingMessage, Server } from 'node:http'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Engine } from './engines.js'

/** Bytes as text where they are short, and by their length and digest where they are not. */
export function bytes(value: Uint8Array): string {
  if (value.length <= 64) return `${value.length} ${Buffer.from(value).toString('hex')}`
  return `${value.length} #${createHash('sha1').update(value).digest('hex').slice(0, 12)}`
}

/** The kind of a value and what it is. The classes of the engine are told by the names that ws has for them. */
export function show(value: unknown, { module }: Engine): unknown {
  const again = (other: unknown): unknown => show(other, { module } as Engine)
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value !== 'object' || value === null) return value === undefined ? 'undefined' : value
  if (Buffer.isBuffer(value)) return `Buffer ${bytes(value)}`
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${bytes(new Uint8Array(value))}`
  if (value instanceof Uint8Array) return `Uint8Array ${bytes(value)}`
  if (Array.isArray(value)) return value.map(again)
  if (value instanceof Set) return ['Set', ...[...value].map(again)]
  if (value instanceof module.WebSocket) return 'a WebSocket'
  if (value instanceof module.WebSocketServer) return 'a WebSocketServer'
  if (value instanceof IncomingMessage) return `a request ${value.method} ${value.url}`
  if (value instanceof Server) return 'an http server'
  if (value instanceof Blob) return `Blob ${value.size} ${value.type}`
  if (value instanceof Error) return failure(value)
  if (value instanceof Socket) return 'a socket'
  if (value instanceof Duplex) return 'a duplex'
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, again(member)]))
}

function failure(error: Error): string {
  const code: unknown = Reflect.get(error, 'code')
  return `${error.constructor.name} ${code === undefined ? '' : `${String(code)} `}${error.message}`
}
