// The server of the tests of costs, in a process of its own, where nothing else allocates or calls the system: it echoes
// binary messages, and the text messages `begin` and `end` are about what is counted between them.
// usage: costProgram; it prints its port, and ends with its connection
import { accessSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { createServer } from '../../src/index.js'

/** What the server allocated since `begin`, and whether that is known: after a garbage collection it is not. */
export interface Allocated {
  readonly bytes: number
  readonly collections: number
}

/** Asks for a file that is not there, for those who watch the system calls. */
function mark(name: string): void {
  try {
    accessSync(`/${name}`)
  } catch {
    // It is not meant to be there.
  }
}

let collections = 0
new PerformanceObserver((list) => {
  collections += list.getEntries().length
}).observe({ entryTypes: ['gc'] })

let before = 0

function begin(): void {
  collections = 0
  mark('begin')
  before = process.memoryUsage().heapUsed
}

const server = createServer({
  message(connection, message) {
    if (!message.isText) {
      connection.send(message)
      return
    }
    const bytes = process.memoryUsage().heapUsed - before
    if (message.text() === 'begin') {
      connection.send('begun')
      setImmediate(begin)
      return
    }
    mark('end')
    // What was collected is told a turn later.
    setTimeout(() => connection.send(JSON.stringify({ bytes, collections } satisfies Allocated)), 10)
  },
  close: () => process.exit(),
})
await server.listen({ host: '127.0.0.1' })
console.log(server.address?.port)
