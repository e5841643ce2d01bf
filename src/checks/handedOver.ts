// What `handleUpgrade` is given: the three arguments of an 'upgrade' listener and an answer, but no callback as in ws.
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
  if (isThenable(answer)) {
    throw callerError(
      'ERR_ARGUMENT_KIND',
      'the answer of handleUpgrade must not be a promise: write handleUpgrade(request, socket, head, await answer)',
    )
  }
}

function wrong(name: string, words: string, value: unknown): Error {
  return callerError(
    'ERR_ARGUMENT_KIND',
    `the ${name} of handleUpgrade must be ${words}; this is ${shown(value)}: server.on('upgrade', (request, socket, head) => ...)`,
  )
}
