// What the primary and its acceptors say to each other, over the channel that node:cluster has between them. The
// application may use it for messages of its own, and pass on what its peers say: so ours carry a word that nobody else
// can know (seal.ts), and even then they are only taken if they have the right form.
import type { AddressInfo } from 'node:net'
import { callerError, isErrorCode } from '../checks/errors.js'
import { isTold, type Told } from '../metrics/snapshot.js'
import type { OwnStatistics, ProcessStatistics, ToldMetrics } from './statistics.js'

/** Accept nothing more; after some time close the connections, spread over some more, and end. Times in milliseconds. */
export interface DrainOrder {
  readonly kind: 'drain'
  readonly after: number
  readonly over: number
  readonly code: number
  readonly reason: string
}

/** What the primary says. */
export type Order =
  | DrainOrder
  | { readonly kind: 'report'; readonly id: number }
  | ({ readonly kind: 'metrics'; readonly id: number } & ToldMetrics)

/** The fields of an error that survive the channel. */
export interface ReportedError {
  readonly message: string
  readonly code?: string
  readonly address?: string
  readonly port?: number
}

/** What an acceptor says. */
export type Report =
  | { readonly kind: 'listening'; readonly addresses: readonly (AddressInfo | string)[] }
  | { readonly kind: 'failed'; readonly failure: ReportedError }
  | { readonly kind: 'statistics'; readonly id: number; readonly statistics: OwnStatistics; readonly told: Told }
  | { readonly kind: 'asks'; readonly id: number }

/** A message's fields, as somebody wrote them. */
type Fields = Readonly<Record<string, unknown>>

/** The order in what a message held; undefined if it is none. Never throws. */
export function orderIn(content: unknown): Order | undefined {
  const { kind, id, after, over, code, reason, told, processes } = fieldsOf(content)
  if (kind === 'report' && isCount(id)) return { kind, id }
  if (kind === 'metrics' && isCount(id) && isTold(told) && isProcesses(processes)) return { kind, id, told, processes }
  if (kind !== 'drain' || !isCount(after) || !isCount(over) || !isCount(code) || typeof reason !== 'string')
    return undefined
  return { kind, after, over, code, reason }
}

/** The report in what a message held; undefined if it is none. Never throws. */
export function reportIn(content: unknown): Report | undefined {
  const { kind, id, addresses, failure, statistics, told } = fieldsOf(content)
  if (kind === 'listening' && Array.isArray(addresses) && addresses.every(isAddress)) return { kind, addresses }
  if (kind === 'failed' && typeof fieldsOf(failure)['message'] === 'string')
    return { kind, failure: failureOf(failure) }
  if (kind === 'asks' && isCount(id)) return { kind, id }
  if (kind === 'statistics' && isCount(id) && isStatistics(statistics))
    return { kind, id, statistics, told: isTold(told) ? told : {} }
  return undefined
}

/** What of an error survives the channel, whatever was thrown. */
export function failureOf(error: unknown): ReportedError {
  const { message, code, address, port } = fieldsOf(error)
  return {
    message: typeof message === 'string' ? message : typeof error === 'string' ? error : 'it could not listen',
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof address === 'string' ? { address } : {}),
    ...(typeof port === 'number' ? { port } : {}),
  }
}

/** The error that an acceptor has reported: of the catalogue, where its code is; otherwise the application's or the system's. */
export function errorOf({ message, ...fields }: ReportedError): Error {
  const error = isErrorCode(fields.code) ? callerError(fields.code, message) : new Error(message)
  return Object.assign(error, fields)
}

function fieldsOf(content: unknown): Fields {
  return typeof content === 'object' && content !== null ? (content as Fields) : {}
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isAddress(value: unknown): value is AddressInfo | string {
  return typeof value === 'string' || isCount(fieldsOf(value)['port'])
}

function isProcesses(value: unknown): value is readonly ProcessStatistics[] {
  return Array.isArray(value) && value.every(isStatistics)
}

function isStatistics(value: unknown): value is OwnStatistics {
  const fields = fieldsOf(value)
  const { sent, received } = fieldsOf(fields['deflate'])
  const counted = [sent, received].every((bytes) => isCount(fieldsOf(bytes)['plain']))
  const numbers = ['connections', 'handshakes', 'rss', 'cpu', 'uptime']
  return counted && numbers.every((name) => typeof fields[name] === 'number')
}
