// @y/websocket-server with y-websocket's client: two documents become one. Its server is a program that listens as soon as
// it is loaded; this is what it does.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { setupWSConnection } from '@y/websocket-server/utils'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { Client, done, listen, until, ws } from './support.mjs'

const wss = new ws.WebSocketServer({ noServer: true })
wss.on('connection', setupWSConnection)
const http = createServer()
http.on('upgrade', (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (connection) => wss.emit('connection', connection, request))
})
const url = `ws://127.0.0.1:${await listen(http)}`
const documents = [new Y.Doc(), new Y.Doc()]
const providers = documents.map(
  (document) => new WebsocketProvider(url, 'room', document, { WebSocketPolyfill: Client, disableBc: true }),
)
await until(() => providers.every(({ synced }) => synced), 'both are in step')
documents[0].getText('text').insert(0, 'hello')
documents[1].getMap('map').set('key', [1, 2, 3])
await until(() => documents[1].getText('text').toString() === 'hello', 'the text')
await until(() => documents[0].getMap('map').has('key'), 'the map')
assert.deepEqual(documents[0].getMap('map').get('key'), [1, 2, 3])
const states = []
providers[1].awareness.on('change', () => states.push(...providers[1].awareness.getStates().values()))
providers[0].awareness.setLocalState({ name: 'one' })
await until(() => states.some((state) => state.name === 'one'), 'the awareness')
documents[0].getText('text').insert(5, ' world '.repeat(20_000))
await until(() => documents[1].getText('text').length === 140_005, 'a large text')
for (const provider of providers) provider.destroy()
await until(() => wss.clients.size === 0, 'both have gone')
done()
