// Run by tests: a server with acceptors that tell their primary whatever their peers say, as it is, and a primary that
// passes it on to all acceptors. The primary prints where it listens, then every message that it
// hears, in JSON; an acceptor answers each message of a peer with what it has heard from the primary so far.
import cluster from 'node:cluster'
import { createServer } from '../../src/index.js'

const heard: unknown[] = []
if (cluster.isWorker) process.on('message', (message) => heard.push(message))

const server = createServer({
  message(connection, message) {
    const said: unknown = message.json()
    if (said === 'what?') connection.send(JSON.stringify(heard.filter((one) => !isOfMillrace(one))))
    else if (said === 'cyclic') process.send?.(cyclic())
    else process.send?.(said)
  },
})

/** What no JSON can be, but the channel carries. */
function cyclic(): unknown {
  const message: Record<string, unknown> = { millrace: new Map([[1, new Error('x')]]), content: null }
  message['self'] = message
  return message
}

function isOfMillrace(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'content' in message
}

cluster.on('message', (_, message) => {
  if (!isOfMillrace(message)) console.log(JSON.stringify(message))
  for (const worker of Object.values(cluster.workers ?? {})) worker?.send(message)
})
await server.listen({ host: '127.0.0.1', port: 0, acceptors: 2 })
if (cluster.isPrimary) console.log(JSON.stringify(server.address))
