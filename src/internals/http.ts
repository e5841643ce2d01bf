// What node:http notes on its sockets.
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Whether node:http reads no requests from this socket, because there are too many answers to be written. */
export function waitsForAnswers(socket: Socket): boolean {
  return Reflect.get(socket, '_paused') === true
}

/** Bytes of the write under way that the system has not taken; 0 where that is not known. */
export function queuedIn(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  const queued: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'writeQueueSize') : 0
  return typeof queued === 'number' ? queued : 0
}

/** The answer that node:http is writing to this socket, to a request that came before this one. */
export function answerBefore(request: IncomingMessage, socket: Duplex): ServerResponse | undefined {
  const answer: unknown = Reflect.get(socket, '_httpMessage')
  return answer instanceof ServerResponse && answer.req !== request ? answer : undefined
}
