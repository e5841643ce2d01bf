// Sudden ends over TLS: what listeners of the socket are told, and the callbacks of what had not left.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectSecurely } from 'node:tls'
import type { WebSocket } from 'ws'
import { cert, key } from '../support/certificate.js'
import { same } from './same.js'
import { requestOf, type Stage } from './stage.js'

/** More than the system takes of what nobody reads. */
const MUCH = 12 * 1024 * 1024

interface SecurePair {
  readonly ws: WebSocket
  readonly socket: Socket
  /** What lies below the TLS of the peer, who does not read. */
  readonly below: Socket
}

async function pairOf(stage: Stage): Promise<SecurePair> {
  const { port, wss } = await stage.serve({ closeTimeout: 60 }, createServer({ cert, key }) as unknown as Server)
  const opened = once(wss, 'connection') as Promise<[WebSocket]>
  const below = connect({ port, host: '127.0.0.1' })
  const peer = connectSecurely({ socket: below, rejectUnauthorized: false })
  peer.on('error', () => undefined).write(requestOf())
  stage.after(() => below.destroy())
  const [ws] = await opened
  await once(peer, 'data') // of ws, the response would be a write under way
  peer.pause()
  stage.watch(ws)
  const socket = Reflect.get(ws, '_socket') as Socket
  for (const event of ['end', 'error', 'close']) {
    socket.on(event, (...values: unknown[]) => stage.note(`socket ${event}`, ...values, ws.readyState))
  }
  return { ws, socket, below }
}

const ENDS: Readonly<Record<string, (pair: SecurePair) => unknown>> = {
  'the peer resets': ({ below }) => below.resetAndDestroy(),
  'it is terminated': ({ ws }) => ws.terminate(),
  'its socket is destroyed with an error': ({ socket }) => socket.destroy(new Error('mine')),
}

for (const [how, end] of Object.entries(ENDS)) {
  same(`over TLS, listeners where ${how}`, async (stage) => {
    const pair = await pairOf(stage)
    end(pair)
    await stage.noted('socket close', 'close')
  })

  same(`over TLS, listeners and callbacks where ${how} while messages wait`, async (stage) => {
    const pair = await pairOf(stage)
    for (const [name, length] of Object.entries({ long: MUCH, short: 1 })) {
      pair.ws.send(Buffer.alloc(length), (error) => stage.note('sent', name, error))
    }
    await delay(50)
    end(pair)
    await stage.noted('socket close', 'close')
  })
}
