// What node:http notes on its sockets.
import type { Socket } from 'node:net'

/** Whether node:http reads no requests from this socket, because there are too many answers to be written. */
export function waitsForAnswers(socket: Socket): boolean {
  return Reflect.get(socket, '_paused') === true
}
