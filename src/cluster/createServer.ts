// What a program calls to have a server.
import { checkNoMore } from '../checks/check.js'
import type { ServerOptions } from '../server/options.js'
import { Server } from './server.js'

/** The message for a caller who gives more than one. */
const ONE_OBJECT = 'createServer takes one object: what answers HTTP requests is its option `request`'

/**
 * Makes a WebSocket server with these handlers and limits. The server does nothing until you call `listen` or
 * `handleUpgrade`. Throws a TypeError for a name that is not an option (the message suggests the right one) and for a
 * value of the wrong kind, and a RangeError for a limit that is not a whole number from 0 (or 1) to 2^53 - 1. An option
 * that is undefined counts as left out.
 *
 * Inside the handlers, `this` is the object of options. So that object may also hold objects of your own, such as a Map
 * of users. If the object has a class, it may hold anything, except names that look like misspelt options.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 *
 * const server = createServer({
 *   message(connection, message) {
 *     connection.send(message)
 *   },
 * })
 *
 * await server.listen({ port: 9001 })
 * ```
 */
export function createServer(): Server<undefined>
export function createServer<Data = undefined>(options: ServerOptions<Data>): Server<Data>
export function createServer(options: ServerOptions = {}, ...more: unknown[]): Server<unknown> {
  checkNoMore(more, ONE_OBJECT)
  return new Server(options)
}
