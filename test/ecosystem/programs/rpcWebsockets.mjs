// rpc-websockets: calls, notifications and events, on a port of its own.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Client, Server } from 'rpc-websockets'
import { done, until } from './support.mjs'

const server = new Server({ port: 0, host: '127.0.0.1' })
await once(server, 'listening')
const { port } = server.wss.address()
server.register('sum', ([a, b]) => a + b)
server.register('fail', () => {
  throw new Error('no')
})
server.register('guarded', () => 'secret').protected()
server.setAuth(({ name }) => name === 'me')
server.event('tick')
const client = new Client(`ws://127.0.0.1:${port}`)
await once(client, 'open')
assert.equal(await client.call('sum', [1, 2]), 3)
assert.deepEqual(
  await Promise.all(Array.from({ length: 50 }, (_, at) => client.call('sum', [at, 1]))),
  Array.from({ length: 50 }, (_, at) => at + 1),
)
await assert.rejects(client.call('fail'))
await assert.rejects(client.call('nothing'))
await assert.rejects(client.call('guarded'))
assert.equal(await client.login({ name: 'me' }), true)
assert.equal(await client.call('guarded'), 'secret')
const ticks = []
client.on('tick', (value) => ticks.push(value))
await client.subscribe('tick')
for (const value of [1, 2]) server.emit('tick', value)
await until(() => ticks.length === 2, 'both ticks')
assert.deepEqual(ticks, [1, 2])
const closed = new Promise((resolve) => client.on('close', resolve))
client.close(1000, 'done')
assert.equal(await closed, 1000)
await server.close()
done()
