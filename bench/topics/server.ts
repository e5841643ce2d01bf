// The server of the suite `topics`, in a process of its own: it publishes when it is told to, and says what that took.
import { setImmediate as turn } from 'node:timers/promises'
import { createServer, serveTopics } from '../../src/index.js'

/** What the server is asked for: so many turns of the event loop, each with so many publications. */
export interface Order {
  readonly turns: number
  readonly each: number
}

/** CPU time that it took, in microseconds. */
export interface Told {
  readonly cpu: number
}

const hasHistory = process.argv[2] === 'history'
const server = createServer({
  topics: hasHistory ? { history: {}, envelope: process.argv[3] === 'envelope' } : {},
  message(connection, message) {
    if (serveTopics(connection, message, () => true)) return
    if (message.byteLength > 0) connection.send(message)
    else connection.subscribe('news')
  },
})
await server.listen({ port: 0, host: '127.0.0.1' })

process.on('message', async ({ turns, each }: Order) => {
  const payload = 'x'.repeat(125)
  const before = process.cpuUsage()
  for (let at = 0; at < turns; at++) {
    for (let count = 0; count < each; count++) server.publish('news', payload)
    await turn()
  }
  const { user, system } = process.cpuUsage(before)
  process.send?.({ cpu: user + system } satisfies Told)
})
process.on('disconnect', () => process.exit(0))
process.send?.({ port: server.port })
