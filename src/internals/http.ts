// What node:http notes on its sockets, and a request as it makes one.
import { IncomingMessage, ServerResponse } from 'node:http'
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

/** An upgrade request of HTTP/1.1 that was read elsewhere, as node:http hands it out; `rawHeaders` are names and values by turns. */
export function upgradeMessage(socket: Socket, url: string, rawHeaders: string[]): IncomingMessage {
  const message = new IncomingMessage(socket)
  message.method = 'GET'
  message.url = url
  message.httpVersionMajor = 1
  message.httpVersionMinor = 1
  message.httpVersion = '1.1'
  Reflect.apply(Reflect.get(message, '_addHeaderLines'), message, [rawHeaders, rawHeaders.length])
  Reflect.set(message, 'upgrade', true)
  message.complete = true
  message.push(null)
  return message
}
