// The server of a test: it listens on loopback, at a free port, and is closed with the test.
import { after, afterEach, before } from 'node:test'
import { createServer, type ListenOptions, type Server, type ServerOptions } from '../../src/index.js'
import { overHttp2 } from './http2Bridge.js'

/** A test, or whoever else tells when its servers are to be closed. */
export interface Ending {
  after(end: () => Promise<void>): unknown
}

/** A server with these options, once it listens; it is closed when the test has ended. */
export function serving<Data = undefined>(
  test: Ending,
  options: ServerOptions<Data>,
  listen: ListenOptions = {},
): Promise<Server<Data>> {
  return listening(test, createServer<Data>(options), listen)
}

/** The server that is given, once it listens; it is closed when the test has ended. */
export function listening<Data>(test: Ending, server: Server<Data>, listen: ListenOptions = {}): Promise<Server<Data>> {
  test.after(() => server.close())
  return server.listen({ host: '127.0.0.1', ...wire(listen), ...listen })
}

/**
 * The server of all tests of a file or a suite: it listens before the first of them and is closed after the last. What
 * needs its port is done by `ready`, as one hook does not wait for another at the top of a file.
 */
export function servingAll<Data = undefined>(
  options: ServerOptions<Data>,
  ready?: () => void | Promise<void>,
): Server<Data> {
  return listeningAll(createServer<Data>(options), ready)
}

/** The same for a server that is given. */
export function listeningAll<Data>(server: Server<Data>, ready?: () => void | Promise<void>): Server<Data> {
  before(async () => {
    await server.listen({ host: '127.0.0.1', ...wire({}) })
    await ready?.()
  })
  after(() => server.close())
  return server
}

/** For servers that helpers of a file make, which have no test at hand: they are closed after each test. */
export function eachTest(): Ending {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()))
  })
  return { after: (end) => ends.push(end) }
}

/** What has a server speak HTTP/2, where the tests run over that. */
function wire({ tls }: ListenOptions): ListenOptions {
  return overHttp2 && tls === undefined ? { http2: 'cleartext' } : {}
}
