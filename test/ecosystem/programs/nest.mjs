// Nest with its WsAdapter: gateways on the http server's port, and on one of their own.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets'
import { from, map } from 'rxjs'
import { done, open, until } from './support.mjs'

/** TypeScript would write these as decorators. */
function gateway(...options) {
  class Gateway {
    events = []
    handleConnection(client, request) {
      this.events.push(`connection ${request.url}`)
      client.send(JSON.stringify({ event: 'welcome' }))
    }
    handleDisconnect() {
      this.events.push('disconnect')
    }
    echo(_, data) {
      return { event: 'echo', data }
    }
    count() {
      return from([1, 2, 3]).pipe(map((data) => ({ event: 'count', data })))
    }
    async all() {
      for (const client of this.server.clients) client.send('to all')
    }
  }
  for (const name of ['echo', 'count', 'all']) {
    SubscribeMessage(name)(Gateway.prototype, name, Object.getOwnPropertyDescriptor(Gateway.prototype, name))
  }
  WebSocketServer()(Gateway.prototype, 'server')
  WebSocketGateway(...options)(Gateway)
  return Gateway
}

const probe = createServer().listen(0, '127.0.0.1')
await once(probe, 'listening')
const { port: own } = probe.address()
await new Promise((resolve) => probe.close(resolve))

const OnServer = gateway({ path: '/gateway' })
const OnPort = gateway(own, { path: '/own' })
class App {}
Module({ providers: [OnServer, OnPort] })(App)
const app = await NestFactory.create(App, { logger: ['error', 'warn'] })
app.useWebSocketAdapter(new WsAdapter(app))
await app.listen(0, '127.0.0.1')
const { port } = app.getHttpServer().address()

for (const [url, Gateway] of [
  [`ws://127.0.0.1:${port}/gateway`, OnServer],
  [`ws://127.0.0.1:${own}/own`, OnPort],
]) {
  const { client, messages, next } = await open(url)
  await next()
  for (const [event, data] of [['echo', { a: 1 }], ['count'], ['all'], ['unknown']])
    client.send(JSON.stringify({ event, data }))
  await next(6)
  assert.deepEqual(messages.sort(), [
    'to all',
    ...[1, 2, 3].map((data) => `{"event":"count","data":${data}}`),
    '{"event":"echo","data":{"a":1}}',
    '{"event":"welcome"}',
  ])
  const instance = app.get(Gateway)
  client.close()
  await until(() => instance.events.includes('disconnect'), 'the disconnect')
}
await assert.rejects(open(`ws://127.0.0.1:${port}/nowhere`))
const last = await open(`ws://127.0.0.1:${port}/gateway`)
const closed = once(last.client, 'close')
await app.close()
await closed
done()
