// Why a connection could not be opened: one clear error for each way, fit for a person, with a code for programs.
import { type CallerError, callerError, type ErrorCode } from '../checks/errors.js'
import { shown } from '../checks/kinds.js'
import { printable } from '../protocol/printable.js'
import type { UpgradeResponse } from './upgradeResponse.js'

/** What `connect` rejects with where a server could not be reached, or did not open a connection. */
export interface ConnectError extends CallerError {
  /** Which way it failed: see the catalogue of errors. */
  readonly code: ErrorCode
  /** The error of Node.js that it comes from, if there is one. */
  readonly cause?: unknown
  /** What the server has answered instead of 101. */
  readonly response?: UpgradeResponse
}

/** What else there is to say. */
type Facts = Pick<ConnectError, 'cause' | 'response'>

/** An error about an address; `problem` is the rest of a sentence about the server. */
export function connectError(code: ErrorCode, address: string, problem: string, facts: Facts = {}): ConnectError {
  return Object.assign(callerError(code, `${address} ${printable(problem)}`), facts)
}

/** Bytes of a response's head that a server may write. */
export const LONGEST_HEAD = 16 * 1024

/** What an error of Node's means, where a person can do something about it. Other errors speak for themselves. */
const explanations: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'cannot be reached: nobody listens there'],
  ['ENOENT', 'cannot be reached: there is no such socket'],
  ['ENOTFOUND', 'cannot be reached: no such host'],
  ['EAI_AGAIN', 'cannot be reached: the host name cannot be looked up'],
  ['ECONNRESET', 'ended the connection during the opening handshake'],
  ['EPIPE', 'ended the connection during the opening handshake'],
  ['EMFILE', 'cannot be reached: too many open files; ulimit -n raises the limit'],
  ['EADDRNOTAVAIL', 'cannot be reached: no local port is free, or the address is no address to connect to'],
  ['EPROTO', 'does not speak TLS: try ws: instead of wss:'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS: try ws: instead of wss:'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'does not speak TLS: try ws: instead of wss:'],
  ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'does not speak HTTP/2'],
  ['ERR_SSL_TLS_ALERT_NO_APPLICATION_PROTOCOL', 'does not speak HTTP/2'],
  ['ERR_HTTP2_ERROR', 'does not speak HTTP/2'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'has a certificate for another name'],
  ['CERT_HAS_EXPIRED', 'has a certificate that has expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'has a certificate that nobody vouches for: give its issuer as tls.ca'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'has a certificate that nobody vouches for: give its issuer as tls.ca'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'has a certificate that nobody vouches for: give its issuer as tls.ca'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'has a certificate that nobody vouches for: give its issuer as tls.ca'],
])

/** What was given as an error by a function of the application, such as `lookup`: it may be anything. */
export function asError(given: unknown): NodeJS.ErrnoException {
  if (given instanceof Error) return given
  return new Error(typeof given === 'string' ? given : `${shown(given)} was given in place of an Error`)
}

/** The error for one of Node's, which has ended an attempt to reach `address`. One that says it already stays as it is. */
export function unreachable(address: string, given: unknown): Error {
  const cause = asError(given)
  const { message } = cause
  const code = String(cause.code ?? '')
  if (code.startsWith('ERR_CONNECT_')) return cause
  if (code === 'HPE_HEADER_OVERFLOW')
    return connectError('ERR_CONNECT_ANSWER', address, `answers with a head of more than ${LONGEST_HEAD} bytes`, {
      cause,
    })
  if (code.startsWith('HPE_'))
    return connectError('ERR_CONNECT_ANSWER', address, `does not speak HTTP (${message.toLowerCase()})`, { cause })
  const problem = explanations.get(code) ?? `cannot be reached: ${message.split('\n', 1)[0]}`
  return connectError('ERR_CONNECT_UNREACHABLE', address, problem, { cause })
}
