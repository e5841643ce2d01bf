// Where acceptors serve, and where there can be none: behind TLS, beside another cluster, with a program that takes too
// long; and how soon a port answers again after an acceptor was killed.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { WsClient } from '../clients/wsClient.js'
import { CliProcess } from '../command/cliProcess.js'
import { cert, key } from '../support/certificate.js'
import { effort } from '../support/effort.js'
import { ClusterProcess } from './clusterProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }
const folder = mkdtempSync(join(tmpdir(), 'millrace-places-'))
after(() => rmSync(folder, { recursive: true }))

/** A file in the tests' folder. */
function fileOf(name: string, content: string): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

/** Runs a program to its end, with these options of Node's; resolves with what it has said. */
async function outputOf(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return output
}

const library = JSON.stringify(new URL('../../src/index.js', import.meta.url).href)

describe('places of acceptors', { skip: options.skip }, () => {
  test('TLS', options, async (t) => {
    const pair = ['--cert', fileOf('cert.pem', cert), '--key', fileOf('key.pem', key)]
    const cli = await CliProcess.start(['--acceptors', '2', ...pair])
    t.after(() => cli.close())
    const url = (/wss:\/\/\S+/.exec(cli.stdout)?.[0] ?? '').replace('127.0.0.1', 'localhost')
    const clients = await Promise.all(Array.from({ length: 20 }, () => WsClient.open(url, { ca: cert })))
    for (const [n, { socket }] of clients.entries()) socket.send(`${n}`)
    for (const [n, { messages }] of clients.entries()) assert.equal(await messages.next(), `${n}`)
    cli.kill('SIGTERM')
    for (const { ended } of clients) assert.equal((await ended).code, 1001)
    assert.equal((await cli.outcome).code, 0)
  })

  test('not in a worker of another cluster, which may listen without', options, async () => {
    const program = fileOf(
      'other.mjs',
      `import cluster from 'node:cluster'
       import { createServer } from ${library}
       if (cluster.isPrimary) cluster.fork().once('exit', () => process.exit(0))
       else {
         const server = createServer()
         await server.listen({ host: '127.0.0.1', acceptors: 2 }).catch((error) => console.log(error.message))
         await server.listen({ host: '127.0.0.1' })
         console.log(server.address.port > 0)
         await server.close()
         process.exit(0)
       }`,
    )
    const output = await outputOf(program)
    assert.equal(output, 'this is a worker of another cluster: listen without acceptors here\ntrue\n')
  })

  test('a program that does not listen in time rejects; options of Node reach the acceptors', options, async () => {
    const program = fileOf(
      'slow.mjs',
      `import cluster from 'node:cluster'
       import { createServer } from ${library}
       console.log(process.execArgv.join())
       if (cluster.isWorker) await new Promise((resolve) => setTimeout(resolve, 60_000))
       await createServer().listen({ acceptors: 1, startTimeout: 4000 }).catch((error) => console.log(error.message))
       process.exit(0)`,
    )
    const lines = (await outputOf('--no-deprecation', program)).trim().split('\n')
    assert.deepEqual(lines.slice(0, 2), ['--no-deprecation', '--no-deprecation'])
    assert.equal(lines.length, 3)
    assert.match(lines[2] ?? '', /startTimeout|4000/)
  })

  test('after kill -9 of one acceptor, the port answers within a second, all the time', options, async (t) => {
    const { cluster, port, pids } = await ClusterProcess.start()
    t.after(() => cluster.end())
    process.kill(pids[0] ?? 0, 'SIGKILL')
    const end = performance.now() + effort({ quick: 1500, full: 3000 })
    let last = performance.now()
    let longest = 0
    while (performance.now() < end) {
      const client = await WsClient.open(`ws://127.0.0.1:${port}`).catch(() => undefined)
      if (client === undefined) continue
      await client.messages.next()
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
      await client.close()
    }
    t.diagnostic(`the longest time without a new connection: ${longest.toFixed(0)} ms`)
    assert.ok(longest < 1000, `${longest} ms`)
    await cluster.listening(2)
  })
})
