// The answer of HTTP/1.1 to an upgrade that is accepted: written where the connection builds its first frames, so that
// both leave in one write.
import { codecOfThread } from '../../codec/codec.js'
import type { FrameBuffer } from '../../connection/sending/encoder.js'
import { ACCEPTANCE, acceptanceEnd } from '../../protocol/openingHandshake.js'
import type { AcceptedUpgrade } from '../admission/endpoint.js'

/** Writes a response where the connection's first frames follow it. */
export type Respond = (output: FrameBuffer) => void

/** Writes the 101 response to a request with this key. Throws OutOfMemory, and has written nothing then. */
export function writeAcceptance(output: FrameBuffer, key: string, accepted: AcceptedUpgrade): void {
  const { opening, headers } = accepted
  const answer = acceptanceEnd(key, opening.protocol, headers)
  const length = ACCEPTANCE.length + answer.length
  const pointer = output.reserve(length)
  const { bytes } = codecOfThread()
  bytes.write(ACCEPTANCE, pointer, 'latin1')
  bytes.write(answer, pointer + ACCEPTANCE.length, 'latin1')
  output.commit(pointer, length)
}
