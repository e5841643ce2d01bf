// usage: idleProgram URL, with --expose-gc. Opens connections in three ways, and prints what each of a way holds.
import { setTimeout as wait } from 'node:timers/promises'
import { type ClientOptions, connect, WebSocket } from '../../src/client.js'

/** Bytes of the heap for each connection. */
export interface Held {
  /** With the same options as others. */
  readonly shared: number
  /** With an object of options and a handler for each. */
  readonly own: number
  /** As a WebSocket with one handler. */
  readonly page: number
}

const CONNECTIONS = 600
const AT_ONCE = 50
const [url = ''] = process.argv.slice(2)
const options: ClientOptions = { message: () => undefined }
const kept: unknown[] = []

async function open(way: () => Promise<unknown>, connections: number): Promise<void> {
  for (let opened = 0; opened < connections; opened += AT_ONCE)
    kept.push(...(await Promise.all(Array.from({ length: AT_ONCE }, way))))
}

/** What is left when nothing more goes: on a busy machine, what opening took is let go late. */
async function heap(): Promise<number> {
  let least = Infinity
  for (let same = 0; same < 8; same++) {
    await wait(20)
    globalThis.gc?.()
    const { heapUsed } = process.memoryUsage()
    if (heapUsed < least - 10_000) same = 0
    least = Math.min(least, heapUsed)
  }
  return least
}

async function held(way: () => Promise<unknown>): Promise<number> {
  await open(way, 2 * AT_ONCE)
  const before = await heap()
  await open(way, CONNECTIONS)
  return Math.round(((await heap()) - before) / CONNECTIONS)
}

const ways: Record<keyof Held, () => Promise<unknown>> = {
  shared: () => connect(url, options),
  own: () => {
    const list: unknown[] = []
    return connect(url, { message: (_, message) => void list.push(message.byteLength) })
  },
  page: () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url)
      socket.onopen = () => resolve(socket)
      socket.onerror = reject
    }),
}
const found: Held = { shared: await held(ways.shared), own: await held(ways.own), page: await held(ways.page) }
process.stdout.write(JSON.stringify(found), () => process.exit())
