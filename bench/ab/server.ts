// The server of a built checkout, in a process of its own: echoes, or publishes to everyone what anyone says.
// usage: server CHECKOUT MODE, `echo` or `publish`; it answers to the questions below.
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { measured } from '../support/measured.js'

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

measured(() => server.address)
