// Node.js takes what comes over the channel between a primary and its workers for its own where `cmd` begins with NODE_:
// an object of a peer's, passed on by the application as it is, could end the primary, or take the acceptors' sockets.
import { callerError } from '../checks/errors.js'
import { runtime } from './runtime.js'

const OWN = 'NODE_'
/** Where the files of the runtime itself lie. */
const INTERNALS = { node: 'node:internal/', deno: 'ext:deno_node/', bun: 'internal:' }[runtime]

const WARNING = 'MillraceWarning'
const REFUSED = 'a message whose cmd begins with NODE_ was not sent: Node.js takes it for its own'

/** Either end of a channel. */
interface Channel {
  send?: unknown
}

/** From now on, only Node.js itself can send messages of its own over this channel; the application's are dropped. */
export function reserveForNode(channel: Channel): void {
  const { send } = channel
  if (typeof send !== 'function') return
  let warned = false
  const reserved = (...given: unknown[]): unknown => {
    if (!isOfNode(given[0]) || isCalledByNode(reserved)) return Reflect.apply(send, channel, given)
    // The warning is printed once: peers may choose how often this happens.
    if (!warned) process.emitWarning(REFUSED, WARNING)
    warned = true
    const told = given.findLast((one) => typeof one === 'function')
    if (typeof told === 'function')
      process.nextTick(told, callerError('ERR_MESSAGE_RESERVED', 'Node.js would take the message for its own'))
    return false
  }
  channel.send = reserved
}

function isOfNode(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !('cmd' in message)) return false
  return typeof message.cmd === 'string' && message.cmd.startsWith(OWN)
}

/** Whether the function that called `callee` is one of Node's: nothing else tells its messages apart. */
function isCalledByNode(callee: (...given: unknown[]) => unknown): boolean {
  const { prepareStackTrace, stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = 1
    Error.prepareStackTrace = (_, [caller]) => caller?.getFileName() ?? ''
    const trace: { stack?: unknown } = {}
    Error.captureStackTrace(trace, callee)
    return String(trace.stack).startsWith(INTERNALS)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    Error.prepareStackTrace = prepareStackTrace
  }
}
