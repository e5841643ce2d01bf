// Large buffers are written from where they lie: in order with everything else, also to a client that reads slowly, and
// whatever part of them the system takes.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'
import { engines } from './engines.js'

/** Bytes that tell where they belong. */
function numbered(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((at ^ seed) >>> 0, at)
  return bytes
}

for (const { name, open } of engines) {
  describe(`over ${name}`, () => {
    test('short and large ones leave in order, whatever is pending', async (t) => {
      const { ws, client } = await open(t)
      client.socket.pause()
      const lengths = [3, 32_767, 32_768, 70_000, 5, 3 * 1024 * 1024, 10, 65_536, 65_536, 2_000_000, 1]
      const sent = lengths.map((length, at) => numbered(length, at * 0x01010101))
      const left: number[] = []
      for (const [at, bytes] of sent.entries()) {
        ws.send(bytes, { fin: true }, () => left.push(at))
        if (at % 4 === 3) await settle()
      }
      client.socket.resume()
      const frames = await client.frames(lengths.length)
      for (const [at, { payload }] of frames.entries()) assert.ok(payload.equals(sent[at] ?? Buffer.alloc(0)), `${at}`)
      await eventually(() => left.length === lengths.length, 'all callbacks')
      assert.deepEqual(left, [...left.keys()])
      assert.equal(ws.bufferedAmount, 0)
    })

    test('one buffer goes to several at once, as text too', async (t) => {
      const bytes = Buffer.alloc(500_000, 'text')
      const trials = [await open(t), await open(t), await open(t)]
      for (const { ws } of trials) ws.send(bytes, { binary: false })
      for (const { client } of trials) {
        const [frame] = await client.frames(1)
        assert.equal(frame?.opcode, 1)
        assert.ok(frame.payload.equals(bytes))
      }
    })

    test('a large frame made by hand goes to several at once from where it lies, between others', async (t) => {
      const trials = [await open(t), await open(t), await open(t)]
      const payload = numbered(16 * 1024 * 1024, 7)
      const header = Buffer.alloc(10)
      header.writeUInt16BE(0x827f)
      header.writeBigUInt64BE(BigInt(payload.length), 2)
      for (const { ws, client } of trials) {
        client.socket.pause()
        ws.send('before')
        ws._sender?.sendFrame([header, payload])
        ws.send('after')
      }
      await settle()
      payload[payload.length - 1] = 42 // it is lent until it has left: this is what still leaves
      for (const { client } of trials) {
        client.socket.resume()
        const [before, frame, after] = await client.frames(3)
        assert.equal(before?.payload.toString(), 'before')
        assert.ok(frame?.payload.equals(payload))
        assert.equal(after?.payload.toString(), 'after')
      }
    })

    test('one list that holds another frame for each connection brings each of them its own', async (t) => {
      const trials = [await open(t), await open(t), await open(t), await open(t)]
      const list: Buffer[] = []
      for (const [at, { ws }] of trials.entries()) {
        const payload = Buffer.from(`for ${at}`)
        list.splice(0, list.length, Buffer.of(0x82, payload.length), payload)
        ws._sender?.sendFrame(list)
      }
      for (const [at, { client }] of trials.entries()) {
        const [frame] = await client.frames(1)
        assert.equal(frame?.payload.toString(), `for ${at}`)
      }
    })

    test('a connection that ends amid of one tells its callback, and gives the buffer up', async (t) => {
      const { ws, client } = await open(t)
      client.socket.pause()
      const results: boolean[] = []
      for (let count = 0; count < 4; count++)
        ws.send(Buffer.alloc(8 * 1024 * 1024), (error) => results.push(error instanceof Error))
      await settle()
      client.socket.destroy()
      await eventually(() => ws.readyState === 3 && results.length === 4, 'the end')
      assert.equal(results.at(-1), true)
    })
  })
}
