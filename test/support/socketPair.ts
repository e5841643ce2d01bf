// Two ends of one real socket.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { freePath } from './places.js'

/** Both ends are closed when the test ends. */
export async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
  const server = createServer()
  server.listen(process.platform === 'win32' ? { port: 0, host: '127.0.0.1' } : { path: freePath() })
  await once(server, 'listening')
  const address = server.address()
  const accepted = once(server, 'connection')
  const near = connect(typeof address === 'string' ? { path: address } : { port: address?.port ?? 0 })
  const [far] = (await accepted) as [Socket]
  if (near.connecting) await once(near, 'connect')
  server.close()
  t.after(() => {
    near.destroy()
    far.destroy()
  })
  return [near, far]
}
