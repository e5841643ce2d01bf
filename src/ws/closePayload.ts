// The payload of a Close frame, from what `close` is given, with ws's checks; and what that of a peer says.
import { Buffer, isUtf8 } from 'node:buffer'
import { CloseCode, LONGEST_CLOSE_REASON, mayTravel } from '../protocol/closeCode.js'
import { EMPTY } from './data.js'
import {
  closeCodeError,
  closeCodeMistake,
  closeReasonMistake,
  closeReasonTooLong,
  controlLengthError,
  textError,
} from './errors.js'

/**
 * Without a code, it is empty; what has no length, as a reason, is none, and of a fraction, the whole part is sent. Throws a TypeError for a code that may not be sent and
 * a reason that is neither a string nor bytes, and a RangeError for a reason of more than 123 bytes.
 */
export function closePayload(code: unknown, reason: unknown): Uint8Array {
  if (code === undefined) return EMPTY
  if (typeof code !== 'number' || code > 4999 || !mayTravel(Math.trunc(code))) throw closeCodeMistake()
  const bytes = reasonBytes(reason)
  const payload = Buffer.alloc(2 + bytes.length)
  payload.writeUInt16BE(code, 0)
  payload.set(bytes, 2)
  return payload
}

function reasonBytes(reason: unknown): Uint8Array {
  // That of null is asked for as well, which throws what the engine throws.
  if (reason === undefined || !(reason as { length?: unknown }).length) return EMPTY
  // So are the bytes of anything else, which throws for what has none.
  if (Buffer.byteLength(reason as string) > LONGEST_CLOSE_REASON) throw closeReasonTooLong()
  if (typeof reason === 'string') return Buffer.from(reason)
  if (reason instanceof Uint8Array) return reason
  throw closeReasonMistake()
}

/** What a Close frame says, or the rule that it breaks. */
export type CloseMessage =
  | { readonly code: number; readonly reason: Buffer; readonly error?: undefined }
  | { readonly code: number; readonly error: Error }

/** Reads the payload of a Close frame; `anyText` lets its reason be anything. Of a broken rule, it says the close code. */
export function readClose(payload: Buffer, anyText: boolean): CloseMessage {
  if (payload.length === 0) return { code: CloseCode.none, reason: EMPTY }
  if (payload.length === 1) return { code: CloseCode.protocolError, error: controlLengthError(1) }
  const code = payload.readUInt16BE(0)
  const reason = payload.subarray(2)
  if (!mayTravel(code)) return { code: CloseCode.protocolError, error: closeCodeError(code) }
  if (!anyText && !isUtf8(reason)) return { code: CloseCode.invalidPayload, error: textError() }
  return { code, reason }
}
