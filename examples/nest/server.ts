// A chat with Nest: ws://127.0.0.1:9001/chat, with messages such as {"event":"say","data":"hello"}. Nest's decorators need a
// compiler. Needs `npm install @nestjs/core @nestjs/common @nestjs/websockets @nestjs/platform-express reflect-metadata rxjs`.
import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { SubscribeMessage, WebSocketGateway, WebSocketServer, WsException } from '@nestjs/websockets'
import type { Server } from 'millrace'
import { from, map } from 'rxjs'
import { type Bound, type Client, MillraceAdapter } from './adapter.ts'

@WebSocketGateway({ path: '/chat', maxMessage: 64 * 1024 })
class Chat {
  @WebSocketServer() declare server: Server<Bound>

  handleConnection(client: Client) {
    client.subscribe('chat')
  }

  handleDisconnect() {
    this.server.publish('chat', JSON.stringify({ event: 'left' }))
  }

  @SubscribeMessage('say')
  say(_: Client, text: unknown) {
    if (typeof text !== 'string') throw new WsException('say something')
    this.server.publish('chat', JSON.stringify({ event: 'said', data: text }))
  }

  @SubscribeMessage('count')
  count(_: Client, to: number) {
    return from(Array.from({ length: to }, (_, at) => at + 1)).pipe(map((data) => ({ event: 'counted', data })))
  }
}

@Module({ providers: [Chat] })
class App {}

const app = await NestFactory.create(App, { logger: ['error'] })
app.useWebSocketAdapter(new MillraceAdapter(app))
app.enableShutdownHooks()
await app.listen(Number(process.env['PORT'] ?? 9001), '127.0.0.1')
console.log(`listening on http://127.0.0.1:${app.getHttpServer().address().port}`)
