// A server with acceptors and a history of topics, run by tests as a process of its own. The primary tells in a line of JSON where
// it listens, and which its acceptors are; a line `publish N` has it publish N numbers on the topic `news`, over several turns,
// and says when that is done. What a client sends is published by its acceptor on the topic `talk`.
import cluster from 'node:cluster'
import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'
import { createServer, serveTopics } from '../../src/index.js'

/** Publications in one turn. */
const TOGETHER = 5

const server = createServer({
  topics: { history: { messages: 100_000, bytes: 2 ** 25 }, envelope: true },
  message(connection, message) {
    if (!serveTopics(connection, message, () => true)) server.publish('talk', message)
  },
})
await server.listen({ host: '127.0.0.1', port: 0, acceptors: 2, ...JSON.parse(process.argv[2] ?? '{}') })

let published = 0

async function publish(count: number): Promise<void> {
  for (const end = published + count; published < end; published++) {
    server.publish('news', String(published))
    if (published % TOGETHER === 0) await turn()
  }
}

if (cluster.isPrimary) {
  const say = async (): Promise<void> => {
    const pids = (await server.statistics()).map(({ pid }) => pid)
    console.log(JSON.stringify({ port: server.port, pids, published }))
  }
  await say()
  createInterface({ input: process.stdin }).on('line', (line) => {
    publish(Number(line.replace(/\D/g, ''))).then(say)
  })
}
