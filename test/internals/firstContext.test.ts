// Nobody looks for a context as a connection opens as long as nothing in the process has ever had one: the first that is
// entered, wherever that is, is the context of what comes in it all the same. Each is the first of a process of its own.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** A server without an `open` handler, which tells in which context its handlers run. */
const PROGRAM = `
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect } from 'node:net'
const { createServer } = await import(process.argv[1])
const storage = new AsyncLocalStorage()
const seen = []
const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Version: 13\\r\\n'
const note = () => void seen.push(storage.getStore() ?? 'none')
const server = createServer({ message: note, close: note })
await server.listen({ port: 0, host: '127.0.0.1' })
const once = () => {
  unsubscribe('millrace:connection:open', once)
  storage.enterWith('entered')
}
const [where] = process.argv.slice(2)
if (where === 'later') await earlier()
if (where === 'program' || where === 'later') storage.enterWith('entered')
if (where === 'subscriber') subscribe('millrace:connection:open', once)
function upgraded() {
  const client = connect(server.address.port, '127.0.0.1')
  client.write('GET / HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' + key + '\\r\\n')
  return client
}
async function earlier() {
  await new Promise((resolve) => upgraded().once('data', resolve))
  await new Promise((resolve) => setTimeout(resolve, 500))
}
const client = upgraded()
client.once('data', () => client.end(Buffer.from([0x81, 0x80, 0, 0, 0, 0])))
const timer = setInterval(() => {
  if (seen.length < 2) return
  console.log(seen.join())
  process.exit()
}, 5)
`

/** What the handlers see where the first context is entered there. */
async function seenWhere(where: string): Promise<string> {
  const index = new URL('../../src/index.js', import.meta.url).href
  const args = ['--input-type=module', '--eval', PROGRAM, index, where]
  const env = { PATH: process.env['PATH'] } // over the private API: nobody else leaves out the look
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 20_000 })
  return stdout.trim()
}

test('where nobody enters a context, handlers have none', async () => {
  assert.equal(await seenWhere('nowhere'), 'none,none')
})

for (const [where, when] of [
  ['program', 'once it listens'],
  ['later', 'while others are connected'],
] as const) {
  test(`a context that the program enters ${when} is that of every handler, or of none`, async () => {
    const seen = await seenWhere(where)
    // Until Node 22, what is accepted has the context of the program, and since Node 24 none.
    assert.ok(seen === 'entered,entered' || seen === 'none,none', seen)
  })
}

test('what a subscriber that listens once has entered, every handler has', async () => {
  assert.equal(await seenWhere('subscriber'), 'entered,entered')
})
