// What `handleUpgrade` is given: the three arguments of an 'upgrade' listener and an answer, but no callback as in ws. What
// `handleStream` is given: the arguments of a 'stream' listener of node:http2, and an answer.
import { checkNoMore } from './check.js'
import { callerError } from './errors.js'
import { shown } from './kinds.js'
import { isThenable } from './thenable.js'

/** Throws a TypeError for arguments that are not those of a listener of 'upgrade'. */
export function checkHandedOver(
  request: unknown,
  socket: unknown,
  head: unknown,
  answer: unknown,
  more: readonly unknown[],
): void {
  if (typeof request !== 'object' || request === null || !Array.isArray(Reflect.get(request, 'rawHeaders'))) {
    throw wrong('request', 'an IncomingMessage of node:http, not a fetch Request', request)
  }
  if (typeof socket !== 'object' || socket === null || typeof Reflect.get(socket, 'write') !== 'function') {
    throw wrong('socket', 'a Duplex', socket)
  }
  if (!ArrayBuffer.isView(head)) throw wrong('head', 'a Buffer', head)
  const callback = typeof answer === 'function' ? [answer] : []
  checkNoMore(
    [...callback, ...more],
    'handleUpgrade takes no callback: the handler `open` is called with the connection',
  )
  checkAnswer(answer, 'handleUpgrade', '(request, socket, head, await answer)')
}

/** Throws a TypeError for arguments that are not those of a listener of 'stream', and an answer. */
export function checkStream(stream: unknown, headers: unknown, answer: unknown): void {
  if (typeof stream !== 'object' || stream === null || typeof Reflect.get(stream, 'respond') !== 'function') {
    throw wrongOfStream('stream', 'a ServerHttp2Stream of node:http2', stream)
  }
  if (typeof headers !== 'object' || headers === null || Reflect.get(headers, ':method') === undefined)
    throw wrongOfStream('headers', "the headers of a 'stream' event, with :method among them", headers)
  checkAnswer(answer, 'handleStream', '(stream, headers, await answer)')
}

function checkAnswer(answer: unknown, method: string, call: string): void {
  if (!isThenable(answer)) return
  throw callerError('ERR_ARGUMENT_KIND', `the answer of ${method} must not be a promise: write ${method}${call}`)
}

function wrongOfStream(name: string, words: string, value: unknown): Error {
  return callerError(
    'ERR_ARGUMENT_KIND',
    `the ${name} of handleStream must be ${words}; this is ${shown(value)}: server.on('stream', (stream, headers) => ...)`,
  )
}

function wrong(name: string, words: string, value: unknown): Error {
  return callerError(
    'ERR_ARGUMENT_KIND',
    `the ${name} of handleUpgrade must be ${words}; this is ${shown(value)}: server.on('upgrade', (request, socket, head) => ...)`,
  )
}
