// Close codes (RFC 6455, section 7.4): which exist, which may travel, and the payload of a Close frame.
import { Buffer, isUtf8 } from 'node:buffer'
import { callerError } from '../checks/errors.js'
import { shown } from '../checks/kinds.js'
import { ProtocolViolation } from './violation.js'

/**
 * The close codes that have a name (RFC 6455, section 7.4): codes that may be sent, and two codes that only describe
 * what has happened.
 */
export const CloseCode = {
  /** The purpose of the connection is fulfilled. */
  normal: 1000,
  /** This side is leaving: the server shuts down, or the browser leaves the page. */
  goingAway: 1001,
  /** The other side has broken a rule of the protocol. */
  protocolError: 1002,
  /** The other side has sent text where only bytes are accepted, or bytes where only text is accepted. */
  unsupportedData: 1003,
  /** The Close frame had no code. This code is never sent. */
  none: 1005,
  /** The connection ended without a Close frame. This code is never sent. */
  abnormal: 1006,
  /** The payload of a message does not fit its type, for example text that is not UTF-8. */
  invalidPayload: 1007,
  /** The other side has broken a rule of this server. Clients of millrace see this code for most limits. */
  policyViolation: 1008,
  /** The message is longer than this side accepts. */
  messageTooBig: 1009,
  /** This side has failed. Clients of millrace see this code when a handler throws. */
  internalError: 1011,
  /** The service restarts, and the client may reconnect soon. Acceptors send this code at a reload. */
  serviceRestart: 1012,
  /** This side is overloaded, and the client should try again later. */
  tryAgainLater: 1013,
  /** A server behind this one has answered wrongly. */
  badGateway: 1014,
} as const

/** The type of a close code that has a name. */
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode]

/** A Close frame is a control frame: 125 bytes, two of them for the code. */
export const LONGEST_CLOSE_REASON = 123

/** Whether a code may stand in a Close frame: those the IANA registry defines for it, and 3000 to 4999. */
export function mayTravel(code: number): boolean {
  if (code >= 3000) return code <= 4999
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
}

/** What a Close frame said. `code` is 1005 where it said nothing. */
export interface CloseStatus {
  readonly code: number
  readonly reason: string
}

/** Reads the payload of a Close frame (section 5.5.1), or names the rule it breaks. */
export function readClosePayload(payload: Buffer): CloseStatus | ProtocolViolation {
  if (payload.length === 0) return { code: CloseCode.none, reason: '' }
  if (payload.length === 1) return new ProtocolViolation('CLOSE_PAYLOAD_TOO_SHORT')
  const code = payload.readUInt16BE(0)
  if (!mayTravel(code)) return new ProtocolViolation('CLOSE_CODE_INVALID')
  const reason = payload.subarray(2)
  if (!isUtf8(reason)) return new ProtocolViolation('CLOSE_REASON_INVALID')
  return { code, reason: reason.toString('utf8') }
}

/**
 * Builds the payload of a Close frame. Without a code it is empty.
 * Throws a RangeError for a code that may not travel, a reason without a code, and a reason of more than 123 bytes; a
 * TypeError for a code that is no number, and a reason that is no string.
 */
export function writeClosePayload(code: number | undefined, reason: string): Buffer {
  if (code === undefined) {
    if (reason !== '') throw callerError('ERR_CLOSE_CODE', 'a close reason needs a close code')
    return Buffer.alloc(0)
  }
  if (typeof code !== 'number')
    throw callerError('ERR_ARGUMENT_KIND', `a close code is a number, not ${shown(code)}: close(1000, 'bye')`)
  if (typeof reason !== 'string')
    throw callerError('ERR_ARGUMENT_KIND', `a close reason is a string, not ${shown(reason)}`)
  if (!Number.isInteger(code) || !mayTravel(code)) {
    throw callerError(
      'ERR_CLOSE_CODE',
      `close code ${code} must not be sent: use 1000 to 1003, 1007 to 1014 or 3000 to 4999`,
    )
  }
  const bytes = Buffer.byteLength(reason)
  if (bytes > LONGEST_CLOSE_REASON) {
    throw callerError(
      'ERR_CLOSE_REASON',
      `the close reason has ${bytes} bytes, but a Close frame holds ${LONGEST_CLOSE_REASON} at most`,
    )
  }
  const payload = Buffer.alloc(2 + bytes)
  payload.writeUInt16BE(code, 0)
  payload.write(reason, 2)
  return payload
}
