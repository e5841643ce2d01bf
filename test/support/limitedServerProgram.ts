// A program of its own, run by tests under limits of the system. Options are given as JSON in its first argument. It tells
// its port; for each line of its standard input, what it has used so far; and at the end, the warnings it got.
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createServer } from '../../src/index.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
const warnings: string[] = []
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`))

const server = createServer({
  message: (connection, message) => connection.send(message),
  ...JSON.parse(process.argv[2] ?? '{}'),
})
await server.listen({ host: '127.0.0.1' })

/** Asking the system takes a descriptor: -1 if none is left for that. */
function asked(question: () => number): number {
  try {
    return question()
  } catch {
    return -1
  }
}

function report(): void {
  collect()
  const { user, system } = process.cpuUsage()
  const rss = asked(() => process.memoryUsage.rss())
  const descriptors = asked(() => readdirSync('/proc/self/fd').length)
  const connections = server.connections.size
  const used = { cpu: (user + system) / 1000, rss, descriptors, connections, warnings }
  console.log(JSON.stringify({ port: server.address?.port, ...used }))
}

report()
for await (const _ of createInterface({ input: process.stdin })) report()
await server.close()
