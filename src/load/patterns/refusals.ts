// Connections that were refused, or ended otherwise than they should, by why.
import type { ConnectError } from '../../client/connectError.js'

/** Servers say what they like: after so many different reasons, others are counted together. */
const MOST_REASONS = 32
const OTHERS = 'other reasons'

/** What this side has too little of: no server is to blame for it. */
const OWN_LIMITS = ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']

export class Refusals {
  readonly #counts = new Map<string, number>()
  total = 0

  add(reason: string): void {
    const known = this.#counts.has(reason) || this.#counts.size < MOST_REASONS ? reason : OTHERS
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1)
    this.total++
  }

  /** The counts by reason, the most frequent first; undefined if there is none. */
  get byReason(): Readonly<Record<string, number>> | undefined {
    if (this.total === 0) return undefined
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a))
  }

  /** Of so many connections, as a part of a sentence; undefined if all were well. */
  problemOf(connections: number): string | undefined {
    const [first] = Object.entries(this.byReason ?? {})
    if (first === undefined) return undefined
    const [reason, count] = first
    const why = count === this.total ? reason : `most of them by ${reason}`
    return `of ${connections} connections, ${this.total} failed (${why})`
  }
}

/** Why a connection could not be opened: the status, or what else the server did. Throws the error if this side is the limit. */
export function refusalOf(error: unknown): string {
  const { code = '', response, cause } = isConnectError(error) ? error : {}
  const of = isConnectError(cause) ? (cause.code ?? '') : ''
  if (OWN_LIMITS.includes(of) || !code.startsWith('ERR_CONNECT_')) throw error
  if (code === 'ERR_CONNECT_REFUSED' && response !== undefined) return String(response.status)
  if (code === 'ERR_CONNECT_TIMEOUT') return 'no answer'
  if (code === 'ERR_CONNECT_UNREACHABLE') return of === '' ? 'unreachable' : of
  return 'a wrong answer'
}

/** Whether the server has refused it as HTTP has it, so that it is a WebSocket server that others may reach. */
export function isRefusal(error: unknown): boolean {
  return isConnectError(error) && error.code === 'ERR_CONNECT_REFUSED'
}

function isConnectError(error: unknown): error is Partial<Omit<ConnectError, 'code'>> & { readonly code?: string } {
  return error instanceof Error
}
