// webpack-dev-server 5: what its client hears, and that the pings of its server keep a connection.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import webpack from 'webpack'
import DevServer from 'webpack-dev-server'
import { Client, done, until } from './support.mjs'

const folder = mkdtempSync(join(tmpdir(), 'millrace-webpack-'))
const entry = join(folder, 'index.js')
writeFileSync(entry, 'console.log(1)')
const compiler = webpack({
  mode: 'development',
  context: folder,
  entry,
  output: { path: join(folder, 'out') },
  infrastructureLogging: { level: 'none' },
  stats: 'none',
})
const server = new DevServer(
  { port: 0, host: '127.0.0.1', hot: true, client: { logging: 'none' }, static: false },
  compiler,
)
await server.start()
const { port } = server.server.address()
const client = new Client(`ws://127.0.0.1:${port}/ws`, { origin: `http://127.0.0.1:${port}` })
const types = []
client.on('message', (data) => types.push(JSON.parse(data).type))
await once(client, 'open')
await until(() => types.includes('hash'), 'the first build')
const before = types.length
writeFileSync(entry, 'console.log(2)')
await until(() => types.slice(before).includes('hash'), 'another build', 20_000)
assert.ok(types.includes('hot'))
assert.equal(
  await (await fetch(`http://127.0.0.1:${port}/main.js`)).text().then((text) => text.includes('console.log')),
  true,
)
const closed = once(client, 'close')
await server.stop()
assert.equal((await closed)[0], 1006)
done()
