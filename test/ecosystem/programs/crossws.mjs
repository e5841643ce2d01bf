// crossws: its adapter for Node.js with a server of the user's by the option `wss`; crossws has a ws of its own otherwise.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import crossws from 'crossws/adapters/node'
import { Client, done, listen, open, until, ws } from './support.mjs'

const events = []
const adapter = crossws({
  wss: new ws.WebSocketServer({
    noServer: true,
    handleProtocols: () => false,
    perMessageDeflate: process.env.DEFLATE === '1',
  }),
  hooks: {
    upgrade: (request) => {
      if (request.url.endsWith('/refused')) return new Response('no', { status: 403 })
      return { headers: { 'x-crossws': 'yes', 'set-cookie': 'a=1' } }
    },
    open: (peer) => {
      events.push(`open ${peer.remoteAddress}`)
      peer.subscribe('room')
      peer.send('welcome')
    },
    message: (peer, message) => {
      if (message.text() === 'binary') peer.send(new Uint8Array([1, 2]))
      else if (message.text() === 'json') peer.send({ a: 1 })
      else if (message.text() === 'tell') peer.publish('room', 'told')
      else if (message.text() === 'own') {
        // Its `websocket` is a Proxy of the WebSocket.
        const { websocket } = peer
        websocket.binaryType = 'arraybuffer'
        websocket.send(`${websocket.binaryType} ${websocket.readyState} ${websocket.url}`)
      } else if (message.text() === 'close') peer.close(4001, 'because')
      else if (message.text() === 'terminate') peer.terminate()
      else peer.send(message.rawData, { compress: true })
    },
    close: (_, { code, reason }) => events.push(`close ${code} ${reason}`),
    error: (_, error) => events.push(`error ${error.message}`),
  },
})
const http = createServer()
http.on('upgrade', adapter.handleUpgrade)
const url = `ws://127.0.0.1:${await listen(http)}`

const headers = new Promise((resolve) => {
  const client = new Client(url)
  client.on('upgrade', ({ headers }) => resolve(headers))
  client.on('open', () => client.terminate())
})
assert.equal((await headers)['x-crossws'], 'yes')
assert.deepEqual((await headers)['set-cookie'], ['a=1'])
await assert.rejects(open(`${url}/refused`), /403/)
await until(() => events.includes('close 1006 '), 'the first is gone')

const one = await open(url)
const two = await open(url)
one.client.send('text')
one.client.send('binary')
one.client.send('json')
await one.next(4)
assert.deepEqual(one.messages.map(String), ['welcome', 'text', '\u0001\u0002', '{"a":1}'])
one.client.send('tell')
await two.next(2)
assert.equal(two.messages[1], 'told')
one.client.ping('still there')
assert.equal((await once(one.client, 'pong'))[0].toString(), 'still there')
one.client.send('own')
await one.next(5)
assert.equal(one.messages[4], `arraybuffer 1 ${url}/`)
one.client.send(Buffer.from('as an ArrayBuffer'))
await one.next(6)
assert.equal(String(one.messages[5]), 'as an ArrayBuffer')

const closed = once(one.client, 'close')
one.client.send('close')
const [code, reason] = await closed
assert.deepEqual([code, reason.toString()], [4001, 'because'])
const terminated = once(two.client, 'close')
two.client.send('terminate')
assert.equal((await terminated)[0], 1006)
await until(() => events.length === 6, 'all ends')
assert.ok(events.includes('close 4001 because'))
await adapter.close?.(1001, undefined, true)
done()
