// A server with acceptors, run by tests as a process of its own: `clusterProgram OPTIONS [FILE]`, with the options of
// `listen`, and perhaps closeTimeout, in JSON. It greets with its pid and, if there is a FILE, with what that held when the process started. A FILE
// that says `crash` ends an acceptor at once. The primary tells in lines of JSON where it listens and, for each line of
// its input, its statistics, or its `metrics`; `reload` reloads first, and `drain` closes the server over a second. An HTTP request says
// how many milliseconds its answer takes: `/700`.
import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createServer } from '../../src/index.js'

/** An acceptor that is sent this closes its server. */
const CLOSE = 'please close your server'

const [options = '{}', file] = process.argv.slice(2)
const { closeTimeout = 30_000, ...where } = JSON.parse(options)
const code = file === undefined ? '' : readFileSync(file, 'utf8')
if (code === 'crash' && cluster.isWorker) process.exit(3)

const server = createServer({
  closeTimeout,
  open: (connection) => connection.send(`${process.pid} ${code}`),
  message: (connection, message) => {
    if (message.isText && message.text() === CLOSE) server.close()
    else connection.send(message)
  },
  request: ({ url = '' }, response) => void setTimeout(() => response.end('the whole answer'), Number(url.slice(1))),
})
try {
  await server.listen({ host: '127.0.0.1', acceptors: 2, ...where })
} catch (error) {
  console.log(JSON.stringify({ failed: Object(error).code, message: String(error), primary: cluster.isPrimary }))
}
if (cluster.isPrimary) {
  const say = async (failed?: string): Promise<void> => {
    console.log(JSON.stringify({ addresses: server.addresses, statistics: await server.statistics(), failed }))
  }
  if (server.addresses.length > 0) {
    await say()
    const lines = createInterface({ input: process.stdin })
    lines.on('line', (line) => {
      if (line === 'metrics') return void server.metrics().then((metrics) => console.log(JSON.stringify({ metrics })))
      if (line === 'drain') return void server.close({ code: 1012, drainAfter: 400, drainOver: 600 })
      const done = line === 'reload' ? server.reload() : Promise.resolve()
      done.then(
        () => say(),
        (error: Error) => say(error.message),
      )
    })
    process.stdin.unref?.()
  }
}
