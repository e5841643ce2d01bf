// MQTT over WebSocket: aedes on a stream of each connection, with MQTT.js as the client.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { Aedes } from 'aedes'
import mqtt from 'mqtt'
import { done, listen, until, ws } from './support.mjs'

const broker = await Aedes.createBroker()
const http = createServer()
const wss = new ws.WebSocketServer({ server: http })
const protocols = []
wss.on('connection', (connection, request) => {
  protocols.push(connection.protocol)
  broker.handle(ws.createWebSocketStream(connection), request)
})
const url = `ws://127.0.0.1:${await listen(http)}`
const [one, two] = await Promise.all(
  [0, 1].map((at) => mqtt.connectAsync(url, { clientId: `client ${at}`, keepalive: 1 })),
)
const told = []
two.on('message', (topic, payload) => told.push([topic, payload]))
await two.subscribeAsync('topic/#', { qos: 1 })
for (const qos of [0, 1, 2]) await one.publishAsync(`topic/${qos}`, `quality ${qos}`, { qos })
await until(() => told.length === 3, 'all three')
assert.deepEqual(
  told.map(([topic, payload]) => [topic, payload.toString()]),
  [0, 1, 2].map((qos) => [`topic/${qos}`, `quality ${qos}`]),
)
const large = Buffer.alloc(500_000, 'x')
await one.publishAsync('topic/large', large, { qos: 1 })
await until(() => told.length === 4, 'the large one')
assert.ok(told[3][1].equals(large))
for (let at = 0; at < 500; at++) one.publish('topic/many', String(at))
await until(() => told.length === 504, 'many')
assert.deepEqual(
  told.slice(4).map(([, payload]) => Number(payload)),
  Array.from({ length: 500 }, (_, at) => at),
)
// Its keep-alive of a second.
await new Promise((resolve) => setTimeout(resolve, 1800))
assert.ok(one.connected && two.connected)
assert.deepEqual(new Set(protocols), new Set(['mqtt']))
await one.endAsync()
await two.endAsync()
await until(() => broker.connectedClients === 0, 'both have gone')
await new Promise((resolve) => broker.close(resolve))
done()
