// The server of a built checkout, in a process of its own: echoes, or publishes to everyone what anyone says.
// usage: server CHECKOUT MODE, `echo` or `publish`; it answers to the questions below.
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { answer, goes } from '../support/talk.js'

type Library = typeof import('../../src/index.js')

const [checkout = '.', mode] = process.argv.slice(2)
const { createServer }: Library = await import(pathToFileURL(join(resolve(checkout), 'dist/src/index.js')).href)
const server = createServer({
  maxMessage: 64 * 1024 * 1024,
  ...(mode === 'publish' && { open: (connection) => connection.subscribe('all') }),
  message(connection, message) {
    if (mode === 'publish') server.publish('all', message)
    else connection.send(message)
  },
})
await server.listen({ port: 0, host: '127.0.0.1' })

function port(): number {
  const { address } = server
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** For systems that do not tell other processes. */
function usage(): { cpu: number; mainThread: number } {
  const { user, system } = process.cpuUsage()
  return { cpu: user + system, mainThread: 0 }
}

/** Bytes of the process after a garbage collection: what connections hold, not what their opening left behind. */
function resident(): number {
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

goes('first')
answer({ port, usage, resident })
