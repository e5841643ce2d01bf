// Thousands of WebSockets that say nothing: each stays, and is there when the server has something to say.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from '../../src/ws.js'
import { effort } from '../support/effort.js'
import { eventually } from '../support/socketClient.js'
import { portOf } from './serverEngines.js'

const PROGRAM = fileURLToPath(new URL('./silentProgram.js', import.meta.url))
const SOCKETS = effort({ quick: 300, full: 10_000 })

/** The ways in which a server gets its sockets. */
const WAYS = {
  'with a port of its own': () => new WebSocketServer({ port: 0, host: '127.0.0.1' }),
  'on an http server': () => new WebSocketServer({ server: createServer().listen(0, '127.0.0.1') }),
}

for (const [way, serve] of Object.entries(WAYS)) {
  test(`${SOCKETS} silent WebSockets of a server ${way}`, { timeout: 120_000 }, async () => {
    const server = serve()
    const port = await portOf(server)
    const codes: number[] = []
    server.on('connection', (socket: EventEmitter) => socket.on('close', (code: number) => codes.push(code)))
    const child = spawn(process.execPath, [PROGRAM, String(port), String(SOCKETS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    try {
      assert.deepEqual(await once(lines, 'line'), ['open'])
      await delay(1000)
      assert.equal(server.clients?.size, SOCKETS)
      assert.deepEqual(codes, [])
      const told = once(lines, 'line')
      for (const client of server.clients ?? []) Reflect.apply(Reflect.get(client, 'send'), client, ['hello'])
      assert.deepEqual(await told, ['told'])
      const ended = once(lines, 'line')
      for (const client of server.clients ?? []) Reflect.apply(Reflect.get(client, 'terminate'), client, [])
      assert.deepEqual(await ended, ['ended'])
      await eventually(() => codes.length === SOCKETS, 'all have closed')
      assert.ok(codes.every((code) => code === 1006))
      assert.equal(server.clients?.size, 0)
    } finally {
      child.stdin.end()
      await once(child, 'exit')
      server.options.server?.close()
      server.close()
    }
  })
}
