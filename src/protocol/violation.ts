// What a peer can do wrong, and the close code each mistake earns. A peer's mistake is a value, never an exception.

/** Close code and explanation of each violation; the codec's have the names of its exported constants. */
export const violations = {
  RESERVED_BITS: [1002, 'a reserved bit is set that no extension uses'], // section 5.2
  RESERVED_OPCODE: [1002, 'reserved opcode'], // section 5.2
  CONTROL_FRAGMENTED: [1002, 'fragmented control frame'], // section 5.5
  CONTROL_TOO_LONG: [1002, 'control frame of more than 125 bytes'], // section 5.5
  CONTINUATION_UNEXPECTED: [1002, 'continuation frame outside a fragmented message'], // section 5.4
  CONTINUATION_EXPECTED: [1002, 'new message inside a fragmented message'], // section 5.4
  MASK_MISSING: [1002, 'unmasked frame from a client'], // section 5.1
  MASK_FORBIDDEN: [1002, 'masked frame from a server'], // section 5.1
  LENGTH_NOT_MINIMAL: [1002, 'payload length not in its shortest form'], // section 5.2
  LENGTH_TOP_BIT: [1002, 'payload length with its top bit set'], // section 5.2
  LENGTH_UNSAFE: [1009, 'payload length above 2^53 - 1'],
  MESSAGE_TOO_LONG: [1009, 'message too long'], // section 7.4.1
  INVALID_UTF8: [1007, 'text is not valid UTF-8'], // section 8.1
  INVALID_DEFLATE: [1007, 'compressed data that is no DEFLATE'], // RFC 7692, section 7.2.2
  INVALID_JSON: [1007, 'text is not JSON'], // section 7.4.1
  TOO_MANY_FRAGMENTS: [1008, 'too many fragments in one message'],
  CLOSE_PAYLOAD_TOO_SHORT: [1002, 'Close frame with half a close code'], // section 5.5.1
  CLOSE_CODE_INVALID: [1002, 'close code that must not be sent'], // section 7.4
  CLOSE_REASON_INVALID: [1007, 'close reason is not valid UTF-8'], // section 5.5.1
  MEMORY_SPENT: [1013, 'the server has no memory left for this connection'],
  STREAM_LEFT: [1008, 'the application did not read the message to its end'],
  PAYLOAD_STALLED: [1008, 'the payload stopped arriving'],
  IDLE: [1008, 'the client was silent for too long'],
  UNREAD: [1008, 'nothing was read from the connection for too long'],
  OUTPUT_FULL: [1008, 'the client left too much output unread'],
  MESSAGE_RATE: [1008, 'too many messages per second'],
  BYTE_RATE: [1008, 'too many bytes per second'],
} as const

/** The rules and limits that a client can break, as values of `ProtocolViolation.code`. */
export type ViolationName = keyof typeof violations

/**
 * The error that the `error` handler gets when a client has broken a rule of the protocol or a limit of this server.
 * @example
 * ```js
 * import { createServer, ProtocolViolation } from 'millrace'
 *
 * const server = createServer({
 *   error(connection, error) {
 *     if (error instanceof ProtocolViolation) console.log(connection.remoteAddress, error.code)
 *     else console.error(error)
 *   },
 * })
 * ```
 */
export class ProtocolViolation extends Error {
  /** The rule or limit, as a name in upper case that does not change between versions. */
  readonly code: ViolationName
  /** The close code that the client was sent. */
  readonly closeCode: number

  /** Makes a violation. millrace does this itself; your tests may want to. `detail` is added to the message. */
  constructor(code: ViolationName, detail = '') {
    const [closeCode, text] = violations[code]
    super(detail === '' ? text : `${text}: ${detail}`)
    this.name = 'ProtocolViolation'
    this.code = code
    this.closeCode = closeCode
  }
}
