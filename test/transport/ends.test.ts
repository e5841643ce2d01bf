// A transport tells its end when nothing is to come any more: not while what came before it stops the reading.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { StreamHandle } from '../../src/internals/node.js'
import { EOF } from '../../src/internals/stream.js'
import { inboxOfThread } from '../../src/memory/inbox.js'
import { DuplexTransport } from '../../src/transport/duplex.js'
import { HandleTransport } from '../../src/transport/handle.js'
import type { Transport } from '../../src/transport/transport.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { settle } from '../support/settle.js'

const nothing = (): number => 0
const handle = { readStart: nothing, readStop: nothing, useUserBuffer: nothing } as unknown as StreamHandle

function handleTransport(): { transport: Transport; end: () => void } {
  const transport = new HandleTransport(handle)
  return { transport, end: () => void transport.read(EOF) }
}

function duplexTransport(): { transport: Transport; end: () => void } {
  const stream = new Duplex({ read: () => undefined, write: (_, __, done) => done() })
  return { transport: new DuplexTransport(stream), end: () => void stream.push(null) }
}

for (const [name, make] of [
  ['a handle', handleTransport],
  ['a Duplex', duplexTransport],
] as const) {
  const skip = name === 'a handle' && privateApiForbidden
  test(`the end of ${name} that came after bytes that waited, and pause it, is told when it reads on, once`, {
    skip,
  }, async () => {
    const { transport, end } = make()
    const told: string[] = []
    const receiver = {
      received(): void {
        told.push('bytes')
        transport.pause()
      },
      ended: () => void told.push('end'),
      written: () => undefined,
      closed: () => undefined,
    }
    transport.open(receiver)
    await settle()
    inboxOfThread().exclusively(() => {
      inboxOfThread().deliver(receiver, Buffer.of(1))
      end()
    })
    await settle()
    assert.deepEqual(told, ['bytes'])
    transport.resume()
    transport.pause()
    await settle()
    assert.deepEqual(told, ['bytes'])
    transport.resume()
    transport.resume()
    await settle()
    assert.deepEqual(told, ['bytes', 'end'])
  })
}
