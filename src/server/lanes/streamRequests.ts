// Ordinary requests over HTTP/2: the application answers them as those over HTTP/1.1, with the objects that node:http2 has
// for that purpose.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { isThenable, promiseOf } from '../../checks/thenable.js'
import { type Deadlines, type Expiring, noDeadline } from '../../time/deadlines.js'
import { keepWrites } from '../../transport/keptWrites.js'

/** The classes of node:http2, which is loaded where it is needed. */
export interface Http2Classes {
  readonly Http2ServerRequest: typeof Http2ServerRequest
  readonly Http2ServerResponse: typeof Http2ServerResponse
}

export interface StreamRequestsOptions {
  readonly deadlines: Deadlines
  /** Time for a whole request, in milliseconds. */
  readonly requestTimeout: number
  /** Answers requests. What it throws, or its promise rejects with, is told to `requestFailed`. */
  request(request: IncomingMessage, response: ServerResponse): unknown
  requestFailed(request: IncomingMessage, error: unknown): void
}

const FAILED = 'the request failed\n'
const LATE = 'the request took too long: requestTimeout is '
const PLAIN = { 'content-type': 'text/plain; charset=utf-8' }
const INTERNAL_ERROR = 2

export class StreamRequests {
  readonly #classes: Http2Classes
  readonly #options: StreamRequestsOptions

  constructor(classes: Http2Classes, options: StreamRequestsOptions) {
    this.#classes = classes
    this.#options = options
  }

  serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): void {
    const { Http2ServerRequest: Request, Http2ServerResponse: Response } = this.#classes
    keepWrites(stream)
    const request = new Request(stream, headers, {}, rawHeaders)
    const response = new Response(stream)
    stream.on('error', () => undefined) // 'close' says what it means for the answer
    this.#limitTime(stream, request, response)
    const expected = headers['expect']
    if (expected === '100-continue') response.writeContinue()
    else if (expected !== undefined) return void response.writeHead(417).end()
    // Programs are written for node:http, and node:http2 has made these objects so that they work with them.
    this.#answer(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    try {
      const result = this.#options.request(request, response)
      if (isThenable(result)) promiseOf(result).catch((error: unknown) => this.#failed(request, response, error))
    } catch (error) {
      this.#failed(request, response, error)
    }
  }

  /** A request whose body does not come in time is refused. */
  #limitTime(stream: ServerHttp2Stream, request: Http2ServerRequest, response: Http2ServerResponse): void {
    const { deadlines, requestTimeout } = this.#options
    if (stream.endAfterHeaders) return
    const late: Expiring = {
      ...noDeadline,
      expired: () => {
        if (request.complete || stream.closed) return
        if (response.headersSent) return stream.close(INTERNAL_ERROR)
        response.writeHead(408, PLAIN).end(`${LATE}${requestTimeout} ms`)
      },
    }
    deadlines.set(late, requestTimeout)
    stream.on('end', () => deadlines.clear(late)).on('close', () => deadlines.clear(late))
  }

  #failed(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    // A handler that reads the body of a peer that leaves gets this error, which is not reported as the application's.
    if (error !== request.errored) this.#options.requestFailed(request, error)
    const { stream } = response as unknown as Http2ServerResponse
    if (stream.destroyed || stream.closed || response.writableEnded) return
    if (response.headersSent) return stream.close(INTERNAL_ERROR)
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    response.writeHead(500, { ...PLAIN, 'content-length': FAILED.length }).end(FAILED)
  }
}
