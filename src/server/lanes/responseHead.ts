// The answer of HTTP/1.1 to an upgrade that is accepted: written where the connection builds its first frames, so that
// both leave in one write.
import { codecOfThread } from '../../codec/codec.js'
import type { FrameBuffer } from '../../connection/sending/encoder.js'
import { ACCEPTANCE, acceptanceEnd } from '../../protocol/openingHandshake.js'
import type { AcceptedUpgrade } from '../admission/endpoint.js'

/** Writes a response where the connection's first frames follow it. */
export type Respond = (output: FrameBuffer) => void

/** Characters of the answer to a key. */
const ANSWER_LENGTH = 28

/** Writes the 101 response to a request with this key. Throws OutOfMemory, and has written nothing then. */
export function writeAcceptance(output: FrameBuffer, key: string, accepted: AcceptedUpgrade): void {
  const { opening, headers } = accepted
  const end = acceptanceEnd(opening.protocol, headers)
  const length = ACCEPTANCE.length + ANSWER_LENGTH + end.length
  const pointer = output.reserve(length)
  const { bytes, call } = codecOfThread()
  const answer = pointer + ACCEPTANCE.length
  // The answer takes the place of the key, and of its own length after it.
  bytes.write(`${ACCEPTANCE}${key}    ${end}`, pointer, 'latin1')
  call.acceptKey(answer, answer)
  output.commit(pointer, length)
}
