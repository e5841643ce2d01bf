// millrace/ws in workers of node:cluster, whether they listen or are given their sockets by the primary: as with ws.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { close, masked, TEXT } from '../support/frames.js'
import { SocketClient } from '../support/socketClient.js'

const PROGRAM = fileURLToPath(new URL('./nodeClusterProgram.js', import.meta.url))
const MODULES = { ws: import.meta.resolve('ws'), millrace: new URL('../../src/ws.js', import.meta.url).href }
const CLIENTS = 6

for (const [name, specifier] of Object.entries(MODULES)) {
  for (const [way, who] of [
    ['workers', 'the workers accept'],
    ['primary', 'the primary accepts'],
  ] as const) {
    test(`${name} in workers of node:cluster, where ${who}`, async () => {
      const child = spawn(process.execPath, [PROGRAM, specifier, way], { stdio: ['pipe', 'pipe', 'inherit'] })
      try {
        const [port] = await once(createInterface({ input: child.stdout }), 'line')
        const greeted = await Promise.all(Array.from({ length: CLIENTS }, () => served(Number(port))))
        const workers = new Set(greeted)
        assert.deepEqual([...workers].sort(), ['worker 1 /chat?room=1', 'worker 2 /chat?room=1'])
      } finally {
        child.stdin.end()
        await once(child, 'exit')
      }
    })
  }
}

/** What a client is greeted with, once it has been echoed, and has been answered when it closed. */
async function served(port: number): Promise<string> {
  const client = await SocketClient.upgraded(port)
  const text = 'x'.repeat(70_000)
  client.write(masked(TEXT, text))
  const [greeting, echo] = await client.frames(2)
  assert.equal(echo?.payload.toString(), text)
  client.write(close(1000))
  const [, , answer] = await client.frames(3)
  assert.deepEqual(answer?.payload, Buffer.from('03e8', 'hex'))
  await client.end()
  await client.destroy()
  return String(greeting?.payload)
}
