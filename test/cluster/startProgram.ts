// Run by tests: `startProgram FOLDER [DELAY]`: a server with two acceptors, whose first start takes DELAY ms. Each of them
// leaves a file with its pid in FOLDER when it begins, and waits as long as there is a file `hold`. The primary prints where
// it listens; what it reads from its input is done: `close`.
import cluster from 'node:cluster'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from '../../src/index.js'

const [folder = '.', delay = '0'] = process.argv.slice(2)
if (cluster.isWorker) {
  const { MILLRACE_PLACE: place = '' } = process.env
  writeFileSync(join(folder, String(process.pid)), place)
  try {
    writeFileSync(join(folder, `first-${place}`), '', { flag: 'wx' })
    await sleep(Number(delay))
  } catch {
    // Not the first in this place.
  }
  while (existsSync(join(folder, 'hold'))) await sleep(10)
}
const server = createServer({ open: (connection) => connection.send(`${process.pid}`) })
if (cluster.isPrimary) {
  process.stdin.on('data', () => server.close().then(() => console.log('closed')))
  process.stdin.unref?.()
}
await server.listen({ host: '127.0.0.1', port: 0, acceptors: 2, drainAfter: 300, drainOver: 200 })
if (cluster.isPrimary) console.log(JSON.stringify(server.address))
