// The error of an allocation for which there is no room. It has a class of its own, because it is nobody's mistake:
// the caller refuses a newcomer or ends one connection, and must not confuse it with a RangeError, which is a mistake.
import type { ErrorCode } from '../checks/errors.js'

/**
 * There is no room in the codec's memory: its addresses are used up, or the system gives no more. The heap is as it was
 * before the call, so that the same call may be made again once something is freed.
 */
export class OutOfMemory extends RangeError {
  override readonly name = 'OutOfMemory'
  readonly code = 'ERR_OUT_OF_MEMORY' satisfies ErrorCode
}
