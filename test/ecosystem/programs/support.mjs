// What the programs of this folder share. Each is a server of one package with clients of its own, and ends with an exit
// code: 0 if all was right. ENGINE says on what the package is to run:
//   ws                 on the ws that it has
//   millrace           on millrace/ws, which the program is started with: --import millrace/ws/register
//   millrace, handed   on millrace/ws, handed over by an option of the package
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import * as installed from 'ws'

const { ENGINE = 'ws' } = process.env
const millrace = ENGINE === 'ws' ? undefined : await import('../../../dist/src/ws.js')

/** The module for packages whose users bring one: with the redirect, that is `ws` itself. */
export const ws = ENGINE === 'millrace, handed' ? millrace : installed

/** A client of ws, for packages that have none. */
export const Client = installed.WebSocket

/** How often millrace's classes have been used. */
let used = 0
for (const [of, name] of [
  [millrace?.WebSocketServer, 'handleUpgrade'],
  [millrace?.WebSocketServer, 'emit'],
  [millrace?.WebSocket, 'send'],
]) {
  const method = of?.prototype[name]
  if (method === undefined) continue
  of.prototype[name] = function (...values) {
    used++
    return method.apply(this, values)
  }
}

/** Listens on loopback, and returns the port. */
export async function listen(http) {
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return http.address().port
}

/** Resolves when `condition` holds. */
export async function until(condition, what, timeout = 10_000) {
  const end = performance.now() + timeout
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${timeout} ms`)
    await delay(5)
  }
}

/** A client of ws that is open, with the messages it has been sent. */
export async function open(url, protocols, options) {
  const client = new Client(url, protocols, options)
  const messages = []
  client.on('message', (data, isBinary) => messages.push(isBinary ? data : data.toString()))
  await once(client, 'open')
  return { client, messages, next: (count = 1) => until(() => messages.length >= count, `${count} messages`) }
}

/** The program has come to its end: it was millrace that served, if it had to be. */
export function done() {
  if (millrace !== undefined) assert.ok(used > 0, 'the package has not used millrace')
  console.log(`right on ${ENGINE}`)
  // Some packages have no way to end their timers.
  process.exit(0)
}

setTimeout(() => {
  console.error('it is not over after 40 s')
  process.exit(1)
}, 40_000).unref()
