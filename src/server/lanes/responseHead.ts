// The answer of HTTP/1.1 to an upgrade that is accepted: written where the connection builds its first frames, so that
// both leave in one write.
import { codecOfThread } from '../../codec/codec.js'
import type { FrameBuffer } from '../../connection/sending/encoder.js'
import { ACCEPTANCE, acceptanceEnd, acceptKey } from '../../protocol/openingHandshake.js'
import type { AcceptedUpgrade } from '../admission/endpoint.js'

/** Writes a response where the connection's first frames follow it. */
export type Respond = (output: FrameBuffer) => void

/** Characters of a key, and of the answer to it: where the key lies, the answer has its place. */
const KEY_LENGTH = 24
const ANSWER_LENGTH = 28
const REST = ' '.repeat(ANSWER_LENGTH - KEY_LENGTH)

/** Writes the 101 response to a request with this key. Throws OutOfMemory, and has written nothing then. */
export function writeAcceptance(output: FrameBuffer, key: string, accepted: AcceptedUpgrade): void {
  const { opening, headers } = accepted
  const end = acceptanceEnd(opening.protocol, headers)
  const length = ACCEPTANCE.length + ANSWER_LENGTH + end.length
  const pointer = output.reserve(length)
  const { bytes, call } = codecOfThread()
  // A lane gives a key that it has checked, whatever `upgrade` does to the headers; any other is answered as long as it is.
  const isLikeKey = key.length === KEY_LENGTH
  bytes.write(`${ACCEPTANCE}${isLikeKey ? key + REST : acceptKey(key)}${end}`, pointer, 'latin1')
  const answer = pointer + ACCEPTANCE.length
  if (isLikeKey) call.acceptKey(answer, answer)
  output.commit(pointer, length)
}
