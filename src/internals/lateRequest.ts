// An upgrade request that was read elsewhere, as node:http hands it out: it is made when somebody looks at more of it than its
// first line and its socket.
import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { getDefaultHighWaterMark } from 'node:stream'
import { type LateClass, lateClass, type Maker, type Peeks } from './late.js'

/** A request of HTTP/1.1 for an upgrade. */
export abstract class RequestMaker implements Maker<IncomingMessage> {
  readonly url: string
  readonly socket: Socket

  constructor(url: string, socket: Socket) {
    this.url = url
    this.socket = socket
  }

  /** Names and values of the headers by turns, as they came. */
  protected abstract get rawHeaders(): string[]

  make(message: IncomingMessage): void {
    const { url, socket, rawHeaders } = this
    // The constructor asks the socket for nothing but this, which would make the socket, too.
    Reflect.apply(IncomingMessage as never, message, [{ readableHighWaterMark: getDefaultHighWaterMark(false) }])
    Object.assign(message, { socket, client: socket, method: 'GET', url })
    Object.assign(message, { httpVersionMajor: 1, httpVersionMinor: 1, httpVersion: '1.1' })
    Reflect.apply(Reflect.get(message, '_addHeaderLines'), message, [rawHeaders, rawHeaders.length])
    Reflect.set(message, 'upgrade', true)
    message.complete = true
    message.push(null)
  }
}

const peeks: Peeks<RequestMaker> = {
  url: (maker) => maker.url,
  method: () => 'GET',
  httpVersion: () => '1.1',
  socket: (maker) => maker.socket,
  connection: (maker) => maker.socket,
}

let late: LateClass<IncomingMessage, RequestMaker> | undefined

/** A request that is made when somebody looks at it. */
export function lateRequest(maker: RequestMaker): IncomingMessage {
  late ??= lateClass(IncomingMessage, new IncomingMessage({} as Socket), peeks)
  return late.create(maker)
}

/** What is to make a request that nobody has looked at. */
export function requestMaker(request: object): RequestMaker | undefined {
  return late?.makerOf(request)
}
