// The time that a program gives a socket of node:net (`setTimeout`): what passes by the socket counts as if it had gone through it.
import type { Socket } from 'node:net'

/** Begins the time anew, if the socket has one. */
export function restartTimeout(socket: Socket): void {
  const { timeout } = socket
  if (timeout === undefined || timeout === 0) return
  const restart: unknown = Reflect.get(socket, '_unrefTimer') // without a new timer for each read
  if (typeof restart === 'function') Reflect.apply(restart, socket, [])
  else socket.setTimeout(timeout)
}
