// The program of uncaught.test.ts: node throwing.js MODULE CASE. It prints what it observes, one line each.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerOptions, WebSocket } from 'ws'
import { close, masked, PING, PONG, TEXT } from '../support/frames.js'
import { SocketClient } from '../support/socketClient.js'
import { requestOf } from './stage.js'

const [specifier = '', name = ''] = process.argv.slice(2)
const { WebSocketServer }: typeof import('ws') = await import(specifier)
const { log } = console

if (name.endsWith(', caught')) {
  // What a connection is good for behind an exception is for nobody to say: ws stops reading. The process lives.
  process.on('uncaughtException', (error, origin) => {
    log('uncaught', origin, error.constructor.name, error.message)
    setImmediate(() => process.exit(7))
  })
}
process.on('exit', (code) => log('exit', code))

function fail(what: string): () => never {
  return () => {
    throw new RangeError(`thrown by ${what}`)
  }
}

const listens = (what: string): boolean => name.startsWith(what)
const options: Record<string, unknown> = {}
if (listens('verifyClient')) options['verifyClient'] = fail('verifyClient')
if (listens('handleProtocols')) options['handleProtocols'] = fail('handleProtocols')
const http = createServer()
const wss = new WebSocketServer({ server: http, ...options } as ServerOptions)
if (listens('headers')) wss.on('headers', fail('headers'))
wss.on('connection', (ws) => {
  log('connection')
  listen(ws)
  if (listens('connection')) fail('connection')()
})

function listen(ws: WebSocket): void {
  ws.on('message', (data) => log('message', String(data), ws.readyState))
  ws.on('close', (code) => log('close', code, ws.readyState))
  if (listens('message listener of')) ws.addEventListener('message', fail('addEventListener'))
  else if (listens('message')) ws.on('message', fail('message'))
  if (listens('async')) {
    ws.on('message', async () => {
      await undefined
      fail('async')()
    })
  }
  for (const event of ['ping', 'pong', 'close']) if (listens(`${event} listener`)) ws.on(event, fail(event))
  if (listens('error listener')) ws.on('error', fail('error'))
  else if (!listens('error without')) ws.on('error', ({ message }) => log('error', message))
  if (listens('send callback')) ws.send('x', fail('send'))
  if (listens('send callback throws before another')) ws.send('y', () => log('the other'))
  if (listens('ping callback')) ws.ping('x', false, fail('ping'))
  ws.on('close', () => {
    if (listens('close callback')) ws.send('x', fail('close'))
  })
}

http.listen(0, '127.0.0.1')
await once(http, 'listening')
const peer = await SocketClient.open((http.address() as AddressInfo).port)
peer.write(requestOf(['Sec-WebSocket-Protocol: a']))
await delay(25)
for (const frame of frames()) {
  peer.write(frame)
  await delay(15)
}
await delay(25)
const at = peer.text.indexOf('\r\n\r\n')
log('received', peer.text.slice(0, 12), peer.received.subarray(at + 4).toString('hex'), peer.ended)
await peer.destroy()
await delay(25)
http.closeAllConnections()
http.close()

function frames(): Buffer[] {
  if (listens('error')) return [masked(TEXT, 'one'), masked(3, 'wrong'), masked(TEXT, 'two')]
  const two = Buffer.concat([masked(TEXT, 'two'), masked(TEXT, 'three')])
  return [masked(TEXT, 'one'), masked(PING, 'p'), masked(PONG, 'q'), two, close(1000)]
}
