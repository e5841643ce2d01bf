// hocuspocus 3, with its own client.
import assert from 'node:assert/strict'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Server } from '@hocuspocus/server'
import * as Y from 'yjs'
import { Client, done, until } from './support.mjs'

const events = []
const server = new Server({
  port: 0,
  address: '127.0.0.1',
  quiet: true,
  timeout: 1000,
  stopOnSignals: false,
  onAuthenticate: async ({ token }) => {
    if (token !== 'secret') throw new Error('no')
  },
  onConnect: async () => events.push('connect'),
  onDisconnect: async () => events.push('disconnect'),
})
await server.listen()
const { port } = server.address
const sockets = [0, 1, 2].map(
  () => new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${port}`, WebSocketPolyfill: Client }),
)
const provide = (at, token) => {
  const provider = new HocuspocusProvider({
    websocketProvider: sockets[at],
    name: 'document',
    token,
    document: new Y.Doc(),
  })
  provider.attach()
  return provider
}
const providers = [provide(0, 'secret'), provide(1, 'secret')]
await until(() => providers.every(({ synced }) => synced), 'both are in step')
const [one, two] = providers.map(({ document }) => document)
one.getText('text').insert(0, 'hello')
await until(() => two.getText('text').toString() === 'hello', 'the text')
two.getArray('list').push(['x'.repeat(100_000)])
await until(() => one.getArray('list').length === 1, 'the list')
const refused = provide(2, 'wrong')
let reason
refused.on('authenticationFailed', (event) => {
  reason = event.reason
})
await until(() => reason !== undefined, 'the refusal')
// Some rounds of its own pings.
await new Promise((resolve) => setTimeout(resolve, 1500))
assert.equal(server.hocuspocus.getConnectionsCount(), 2)
for (const provider of providers) provider.destroy()
for (const socket of sockets) socket.destroy()
await until(() => events.filter((event) => event === 'disconnect').length >= 2, 'both have gone')
await server.destroy()
done()
