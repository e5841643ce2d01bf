// What the primary and its acceptors say to each other, over the channel that node:cluster has between them. The
// application may use it for messages of its own: ours are told apart by their first property.
import type { AddressInfo } from 'node:net'
import type { OwnStatistics } from './statistics.js'

/** Accept nothing more; after some time close the connections, spread over some more, and end. Times in milliseconds. */
export interface Drain {
  readonly millrace: 'drain'
  readonly after: number
  readonly over: number
  readonly code: number
  readonly reason: string
}

/** What the primary says. */
export type Order = Drain | { readonly millrace: 'report'; readonly id: number }

/** The fields of an error that survive the channel. */
export interface Failure {
  readonly message: string
  readonly code?: string
  readonly address?: string
  readonly port?: number
}

/** What an acceptor says. */
export type Report =
  | { readonly millrace: 'listening'; readonly addresses: readonly (AddressInfo | string)[] }
  | { readonly millrace: 'failed'; readonly failure: Failure }
  | { readonly millrace: 'statistics'; readonly id: number; readonly statistics: OwnStatistics }

/** Whether a message is one of millrace's. The other side is trusted: it is the same program. */
export function isOurs<Message extends Order | Report>(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && 'millrace' in message
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message, code, address, port }: Error & Partial<Failure> = error
  return {
    message,
    ...(code === undefined ? {} : { code }),
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port }),
  }
}

export function errorOf({ message, ...fields }: Failure): Error {
  return Object.assign(new Error(message), fields)
}
