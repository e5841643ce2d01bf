// A way to a server that a test can shut and open: whoever goes by it loses the server, and nobody else does.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface Relay {
  readonly port: number
  /** Ends all connections, and those that come from now on. */
  shut(): void
  open(): void
}

/** A way to `port` of this machine, until the test ends. */
export async function relay(t: TestContext, port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  let isOpen = true
  const server = createServer((socket) => {
    if (!isOpen) return void socket.destroy()
    const other = connect(port, '127.0.0.1')
    for (const [one, peer] of [
      [socket, other],
      [other, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        sockets.delete(one)
        peer.destroy()
      })
      one.pipe(peer)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const shut = (): void => {
    isOpen = false
    for (const socket of sockets) socket.destroy()
  }
  t.after(() => {
    shut()
    server.close()
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    shut,
    open: () => {
      isOpen = true
    },
  }
}
