// The README's client is what a user copies first, and its point is what happens when a server goes away: here it meets one
// that does, and comes back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createNetServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { Program, ROOT } from './program.js'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The client, which is a browser's: Node.js 20 has no WebSocket of its own. */
function client(port: number): string {
  const [, code = ''] = /^```js\n(function connect\(.*?)^```$/ms.exec(readme) ?? []
  assert.notEqual(code, '', 'the README has no client')
  const listening = "console.log('listening on ws://127.0.0.1:1')\n"
  return `import WebSocket from 'ws'\n${code.replace('localhost:9001', `127.0.0.1:${port}`)}${listening}`
}

async function freePort(): Promise<number> {
  const probe = createNetServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

/** Waits for the first message of the next connection to a server that it starts; answers it. */
async function greeted(port: number): Promise<{ server: Server; text: string }> {
  let resolve: (text: string) => void = () => undefined
  const promise = new Promise<string>((done) => {
    resolve = done
  })
  const server = createServer({
    message(connection, message) {
      resolve(message.text())
      connection.send(`got ${message.text()}`)
    },
  })
  await server.listen({ host: '127.0.0.1', port })
  return { server, text: await promise }
}

test('the client of the README waits for a server, and comes back when one has gone', {
  timeout: 30_000,
}, async (t) => {
  const port = await freePort()
  const program = await Program.start(['--input-type=module', '--eval', client(port)])
  t.after(() => program.kill())
  assert.ok(await program.lives(300), 'it gives up where nobody listens')
  const first = await greeted(port)
  assert.equal(first.text, 'hello')
  await first.server.close()
  const second = await greeted(port)
  t.after(() => second.server.close())
  assert.equal(second.text, 'hello')
  while (!/got hello\n[\s\S]*got hello\n/.test(program.output)) assert.ok(await program.lives(20), program.output)
})
