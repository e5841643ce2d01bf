// The errors that a peer's mistakes are told as: the class, the text and the code that programs written for ws look at.
import { format } from 'node:util'
import { constants } from 'node:zlib'
import { OPCODE_CLOSE } from '../codec/frames.js'
import { CloseCode } from '../protocol/closeCode.js'
import type { ProtocolViolation, ViolationName } from '../protocol/violation.js'

/** Bits of a frame's first byte: the two that no extension uses, and the one of permessage-deflate. */
const RSV_2_3 = 0x30
const OPCODES = 0x0f
const LENGTHS = 0x7f

const INVALID_OPCODE = 'WS_ERR_INVALID_OPCODE'
const TOO_MANY_PARTS = 'WS_ERR_TOO_MANY_BUFFERED_PARTS'
const INVALID_CONTROL_LENGTH = 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH'

/** By what the errors of ws have the close code that they end the connection with. */
const STATUS_CODE = Symbol('status-code')

/** An error whose `code` says which rule was broken. */
export type CodedError = Error & { readonly code: string }

/** An error for a broken rule that ends the connection with this close code. */
function broken(error: Error, code: string, closeCode: number): CodedError {
  return Object.assign(error, { code, [STATUS_CODE]: closeCode })
}

/** A broken rule of framing. */
function frameError(detail: string, code: string): CodedError {
  return broken(new RangeError(`Invalid WebSocket frame: ${detail}`), code, CloseCode.protocolError)
}

function limitError(text: string, code: string, closeCode: number): CodedError {
  return broken(new RangeError(text), code, closeCode)
}

/** What is being compressed by hand is given up. */
export function deflateClosed(): Error {
  return new Error('The deflate stream was closed while data was being processed')
}

/** A message has more bytes than `maxPayload`. */
export function messageTooLong(): CodedError {
  return limitError('Max payload size exceeded', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', CloseCode.messageTooBig)
}

/** Text, or the reason of a Close frame, is not UTF-8. */
export function textError(): CodedError {
  const error = new Error('Invalid WebSocket frame: invalid UTF-8 sequence')
  return broken(error, 'WS_ERR_INVALID_UTF8', CloseCode.invalidPayload)
}

/** A Close frame has a code that must not be sent. */
export function closeCodeError(code: number): CodedError {
  return frameError(`invalid status code ${code}`, 'WS_ERR_INVALID_CLOSE_CODE')
}

/** A frame has come in too many pieces. */
export function chunksError(): CodedError {
  return limitError('Too many buffered chunks', TOO_MANY_PARTS, CloseCode.policyViolation)
}

/** A control frame is too long, or a Close frame has half of a code. */
export function controlLengthError(length: number): CodedError {
  return frameError(`invalid payload length ${length}`, INVALID_CONTROL_LENGTH)
}

/**
 * The error for a violation. `header` has the first two bytes of the frame that is at fault where a rule about headers is
 * broken, the first of them in its low byte.
 */
export function errorOf(name: ViolationName, header: number, detail: string): CodedError {
  const first = header & 0xff
  const length = (header >> 8) & LENGTHS
  switch (name) {
    case 'RESERVED_BITS':
      if ((first & RSV_2_3) !== 0) return frameError('RSV2 and RSV3 must be clear', 'WS_ERR_UNEXPECTED_RSV_2_3')
      return frameError('RSV1 must be clear', 'WS_ERR_UNEXPECTED_RSV_1')
    case 'RESERVED_OPCODE':
    case 'CONTINUATION_EXPECTED':
    case 'CONTINUATION_UNEXPECTED':
      return frameError(`invalid opcode ${first & OPCODES}`, INVALID_OPCODE)
    case 'CONTROL_FRAGMENTED':
      return frameError('FIN must be set', 'WS_ERR_EXPECTED_FIN')
    case 'CONTROL_TOO_LONG':
      return controlLengthError(length)
    case 'MASK_MISSING':
      return unmaskedError(first, length)
    case 'MASK_FORBIDDEN':
      return frameError('MASK must be clear', 'WS_ERR_UNEXPECTED_MASK')
    case 'INVALID_UTF8':
      return textError()
    case 'MESSAGE_TOO_LONG':
      return messageTooLong()
    case 'TOO_MANY_FRAGMENTS':
      return limitError('Too many message fragments', TOO_MANY_PARTS, CloseCode.policyViolation)
    case 'LENGTH_UNSAFE':
    case 'LENGTH_TOP_BIT':
      return limitError(
        'Unsupported WebSocket frame: payload length > 2^53 - 1',
        'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
        CloseCode.messageTooBig,
      )
    default:
      return otherError(name, detail)
  }
}

/** The close code of a violation: every length that can't be counted is too much for ws. */
export function closeCodeOf({ code, closeCode }: ProtocolViolation): number {
  return code === 'LENGTH_TOP_BIT' ? CloseCode.messageTooBig : closeCode
}

/** A control frame's length is looked at before its mask. */
function unmaskedError(first: number, length: number): CodedError {
  const opcode = first & OPCODES
  if (opcode >= OPCODE_CLOSE && (length > 125 || (opcode === OPCODE_CLOSE && length === 1)))
    return controlLengthError(length)
  return frameError('MASK must be set', 'WS_ERR_EXPECTED_MASK')
}

/** What ws does not look at, or leaves to zlib. */
function otherError(name: ViolationName, detail: string): CodedError {
  if (name === 'INVALID_DEFLATE')
    return inflationError(
      Object.assign(new Error(detail.slice(detail.indexOf(': ') + 2)), { errno: constants.Z_DATA_ERROR }),
    )
  return Object.assign(new Error(detail), { code: `ERR_${name}` })
}

/** An error of zlib's, whose own code it keeps: what was inflated is not what it should be. */
export function inflationError(error: Error & { readonly code?: string }): CodedError {
  return broken(error, error.code ?? 'Z_DATA_ERROR', CloseCode.invalidPayload)
}

/** What a callback is told of bytes that have not left when the connection ended. */
export function endedError(): CodedError {
  return Object.assign(new Error('Cannot call write after a stream was destroyed'), { code: 'ERR_STREAM_DESTROYED' })
}

/** What a callback is told of a Blob whose connection has ended before it was read. */
export function blobError(): Error {
  return new Error('The socket was closed while the blob was being read')
}

/** What a callback is told of a message whose connection has ended before it was compressed. */
export function compressionError(): Error {
  return new Error('The socket was closed while data was being compressed')
}

const READY_STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']

/** What a callback is told of a message that is sent when it can't be. */
export function notOpenError(readyState: number): Error {
  return new Error(`WebSocket is not open: readyState ${readyState} (${READY_STATES[readyState]})`)
}

/** Has an error of the application's end up where an uncaught exception does, without breaking off what called it. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}

/** `close` is given something else than a code that may be sent. */
export function closeCodeMistake(): TypeError {
  return new TypeError('First argument must be a valid error code number')
}

/** `close` is given a reason that is neither a string nor bytes. */
export function closeReasonMistake(): TypeError {
  return new TypeError('Second argument must be a string or a Uint8Array')
}

/** `close` is given a reason of more than 123 bytes. */
export function closeReasonTooLong(): RangeError {
  return new RangeError('The message must not be greater than 123 bytes')
}

/** A client whose opening handshake has failed has no socket of which this could be asked: throws a TypeError, as ws does. */
export function hasNone(name: string): never {
  throw new TypeError(`Cannot read properties of null (reading '${name}')`)
}

/** A ping or a pong is given more than 125 bytes. */
export function controlTooLong(): RangeError {
  return new RangeError('The data size must not be greater than 125 bytes')
}

/** `send`, `ping` or `pong` is given something that is no callback, which a stream of Node's takes to be an encoding. */
export function encodingMistake(given: unknown): CodedError {
  return Object.assign(new TypeError(format('Unknown encoding: %s', given)), { code: 'ERR_UNKNOWN_ENCODING' })
}
