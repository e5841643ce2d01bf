// The paths of the target that close, stall, flood and break, by a real client: what its entry in the table says is what a
// client meets.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { corruptions } from '../../src/target/corruption.js'
import { targetFor, Visitor } from './visitor.js'

describe('a path that fails', () => {
  test('/close sends the code and the reason when it was asked to', async (t) => {
    const { url } = await targetFor(t)
    const visitor = await Visitor.open(t, `${url}/close?code=4001&reason=n%C3%B6&after=2`)
    assert.deepEqual(await visitor.exchange(['a', 'b'], 2), ['a', 'b'])
    assert.deepEqual([(await visitor.ended).code, visitor.reason], [4001, 'nö'])
    const atOnce = await new Visitor(`${url}/close`).ended
    assert.equal(atOnce.code, 1000)
    const began = performance.now()
    assert.equal((await new Visitor(`${url}/close?code=1012&wait=100`).ended).code, 1012)
    assert.ok(performance.now() - began >= 95)
  })

  test('/drop is a TCP reset behind the last echo, and /half-close the end without Close', async (t) => {
    const { port = 0 } = await targetFor(t)
    for (const [path, error] of [
      ['/drop', 'ECONNRESET'],
      ['/half-close', ''],
    ] as const) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      let failed = ''
      socket.on('error', (reset: NodeJS.ErrnoException) => {
        failed = reset.code ?? ''
      })
      socket.write(headFor(`${path}?after=1`))
      await once(socket, 'data')
      socket.write(Buffer.of(0x81, 0x81, 0, 0, 0, 0, 0x61))
      const [echo] = await once(socket, 'data')
      assert.deepEqual([...echo], [0x81, 1, 0x61], path)
      if (error === '') await once(socket, 'end')
      socket.end()
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
      assert.equal(failed, error)
    }
  })

  test('/slow writes at the rate that was asked for', async (t) => {
    const { url } = await targetFor(t)
    const visitor = await Visitor.open(t, `${url}/slow?bytes=1000`)
    const began = performance.now()
    assert.deepEqual(await visitor.exchange(['y'.repeat(800)], 1), ['y'.repeat(800)])
    const took = performance.now() - began
    assert.ok(took > 700 && took < 3000, `${took} ms`)
  })

  test('/stall stops reading, and /silent answers nothing', async (t) => {
    const { url } = await targetFor(t)
    const stalled = await Visitor.open(t, `${url}/stall?after=1`)
    assert.deepEqual(await stalled.exchange(['a'], 1), ['a'])
    for (let sent = 0; sent < 64; sent++) stalled.socket.send(Buffer.alloc(2 ** 18))
    await sleep(300)
    assert.ok(stalled.socket.bufferedAmount > 0, 'it was read')
    const silent = await Visitor.open(t, `${url}/silent`)
    let pongs = 0
    silent.socket.on('pong', () => pongs++)
    silent.socket.ping()
    silent.socket.send('a')
    silent.socket.close(1000)
    await sleep(200)
    assert.deepEqual([pongs, silent.got.length, silent.code], [0, 0, undefined])
  })

  test('/flood pushes tiny frames of each kind, to a client that stays usable', async (t) => {
    const { url } = await targetFor(t)
    const messages = await Visitor.open(t, `${url}/flood`)
    await messages.until(() => messages.got.length > 2000)
    const pings = await Visitor.open(t, `${url}/flood?kind=ping&rate=2000`)
    await pings.until(() => pings.pings > 50)
    const fragments = new WebSocket(`${url}/flood?kind=fragment`)
    fragments.on('error', () => undefined)
    await once(fragments, 'open')
    await sleep(50)
    fragments.terminate()
    const other = await Visitor.open(t, url)
    assert.deepEqual(await other.exchange(['a'], 1), ['a'])
  })

  for (const [kind, { client }] of Object.entries(corruptions)) {
    test(`/corrupt?kind=${kind} is what ws fails with, or takes as the table says`, async (t) => {
      const { url } = await targetFor(t, { allowCorrupt: true })
      const visitor = await Visitor.open(t, `${url}/corrupt?kind=${kind}&after=1`, [], { perMessageDeflate: true })
      visitor.socket.send('first')
      if (client.startsWith('gets') || kind === 'length') {
        // ws takes a length that is longer than it has to be, against section 5.2.
        await visitor.until(() => visitor.got.length === 2)
        assert.deepEqual(visitor.got, ['first', kind === 'empty' ? '' : 'hello'])
      } else {
        await visitor.ended
        assert.deepEqual(visitor.got, ['first'])
        assert.ok(visitor.error !== '' || kind === 'truncated')
      }
    })
  }
})

function headFor(target: string): string {
  return (
    `GET ${target} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  )
}
