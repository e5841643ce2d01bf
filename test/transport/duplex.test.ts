// Any Duplex can carry a connection: a tunnel, a stream in memory, an SSH channel. They are slower, stranger and less
// careful than sockets, and whoever wrote them may have made mistakes; none of that may reach other connections.
import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { after, describe, test } from 'node:test'
import { codecOfThread, heapOfThread } from '../../src/codec/codec.js'
import { createServer, type Server } from '../../src/index.js'
import { DuplexTransport } from '../../src/transport/duplex.js'
import { PENDING } from '../../src/transport/transport.js'
import { binary } from '../clients/payloads.js'
import { Line, upgrade } from '../support/duplexLine.js'
import { CLOSE, close, masked, TEXT } from '../support/frames.js'
import { delay, eventually } from '../support/socketClient.js'
import { filledBlock, Recorder } from '../support/socketHandles.js'

const options = { timeout: 60_000 }

// Streams in memory keep no process alive, nor do the server's deadlines.
const alive = setInterval(() => undefined, 1000)
after(() => clearInterval(alive))

function echo(endings: number[] = []): Server {
  return createServer({
    closeTimeout: 300,
    message: (connection, message) => connection.send(message),
    close: (_, code) => endings.push(code),
  })
}

describe('a connection over a Duplex', options, () => {
  test('echoes, large and small, and closes', options, async () => {
    const endings: number[] = []
    const line = new Line()
    upgrade(echo(endings), line, masked(TEXT, 'early'))
    const payload = binary(3_000_000)
    line.push(masked(2, payload))
    line.push(close(1000))
    await eventually(() => line.frames.length === 3, 'three frames')
    assert.equal(line.frames[0]?.payload.toString(), 'early')
    assert.ok(line.frames[1]?.payload.equals(payload))
    assert.equal(line.frames[2]?.opcode, CLOSE)
    line.push(null)
    await eventually(() => line.destroyed, 'the end')
    assert.deepEqual(endings, [1000])
  })

  test('many messages to a stream that is slow stay bounded: it is read no more', options, async () => {
    const server = createServer({
      outputLimit: 200_000,
      message: (connection, message) => connection.send(message),
    })
    const line = new Line()
    line.stuck = true
    upgrade(server, line)
    const message = masked(2, binary(10_000))
    let pushed = 0
    while (pushed < 2000 && line.push(message)) {
      pushed++
      await new Promise(setImmediate)
    }
    const [connection] = server.connections
    assert.ok(pushed < 100, `${pushed} messages were taken`)
    assert.ok((connection?.bufferedAmount ?? 0) < 1_000_000)
    line.stuck = false
    while (line.let()) await new Promise(setImmediate)
    await eventually(() => line.frames.length === pushed + 1, 'every echo')
    connection?.terminate()
    await eventually(() => server.connections.size === 0, 'the end')
  })

  test('a peer that reads a long message slowly is not taken for one that does not read', options, async () => {
    const endings: number[] = []
    const server = createServer({
      pauseTimeout: 1000,
      outputLimit: 100_000,
      message: (connection, message) => connection.send(message),
      close: (_, code) => endings.push(code),
    })
    const line = new Line()
    line.stuck = true
    upgrade(server, line)
    line.push(masked(2, binary(3_000_000)))
    for (let piece = 0; piece < 10; piece++) {
      await delay(300)
      assert.ok(line.let(), 'a write waits')
    }
    assert.deepEqual(endings, [])
    line.stuck = false
    while (line.let()) await delay(1)
    await eventually(() => line.frames.length === 1, 'the echo')
    line.destroy()
    await eventually(() => endings.length > 0, 'the end')
  })

  test('one that does not read at all is ended, and nothing of it is left', options, async () => {
    const endings: number[] = []
    const line = new Line()
    line.stuck = true
    const limits = { pauseTimeout: 500, outputLimit: 1000, closeTimeout: 300 }
    const server = createServer({ ...limits, close: (_, code) => endings.push(code) })
    upgrade(server, line)
    for (const connection of server.connections) connection.send(binary(1_000_000))
    await eventually(() => endings.length > 0, 'the end')
    assert.equal(server.connections.size, 0)
    assert.equal(line.destroyed, true)
  })

  const faults: Record<string, (line: Line) => unknown> = {
    'destroyed amid a write': (line) => line.destroy(),
    'destroyed with an error amid a write': (line) => line.destroy(new Error('cut')),
    'an error event': (line) => line.emit('error', new Error('out of the blue')),
    'a write that fails': (line) => {
      Reflect.set(line, '_write', (_: Buffer, __: string, done: (error: Error) => void) => done(new Error('full')))
      line.let()
    },
    'a write that throws': (line) => {
      Reflect.set(line, 'write', () => {
        throw new Error('a mistake')
      })
      line.let()
    },
    'ended by somebody else': (line) => {
      line.end()
      while (line.let());
      line.push(null)
    },
  }
  for (const [name, fault] of Object.entries(faults)) {
    test(`${name}: 1006, and the others go on`, options, async () => {
      const endings: number[] = []
      const server = echo(endings)
      const [line, other] = [new Line(), new Line()]
      upgrade(server, line)
      upgrade(server, other)
      await delay(5)
      line.stuck = true
      for (const connection of server.connections) connection.send(binary(1_000_000))
      await delay(10)
      fault(line)
      for (const connection of server.connections) connection.send('to all')
      other.push(masked(TEXT, 'still here'))
      await eventually(() => other.frames.length === 3, 'the other')
      await eventually(() => endings.length === 1, 'the end')
      assert.deepEqual(endings, [1006])
      assert.equal(server.connections.size, 1)
      other.destroy()
      await eventually(() => server.connections.size === 0, 'the end of the other')
    })
  }

  test('a stream that had ended before it was handed over ends', options, async () => {
    const endings: number[] = []
    const server = echo(endings)
    const line = new Line()
    line.allowHalfOpen = true
    line.push(null)
    line.resume()
    await eventually(() => line.readableEnded, 'its end')
    upgrade(server, line)
    await eventually(() => server.connections.size === 0, 'the end')
    assert.deepEqual(endings, [1006])
  })

  test('server.close ends it', options, async () => {
    const endings: number[] = []
    const server = echo(endings)
    const line = new Line()
    upgrade(server, line)
    await server.close()
    assert.equal(line.frames[0]?.opcode, CLOSE)
    assert.deepEqual(endings, [1006]) // nobody answered
  })
})

describe('the transport itself', options, () => {
  test('writes in pieces, waits for drain, and copies nothing after the end', options, async () => {
    const block = heapOfThread().allocate(2_000_000)
    const expected = filledBlock(block.pointer, 2_000_000)
    const line = new Line()
    line.stuck = true
    const transport = new DuplexTransport(line)
    const recorder = new Recorder()
    transport.open(recorder)
    assert.equal(transport.write(block.pointer, 2_000_000), PENDING)
    assert.equal(line.longest, 0, 'nothing of the stream runs inside of write')
    await delay(5)
    assert.ok(line.longest > 0 && line.longest <= 256 * 1024)
    const { unsent } = transport
    line.let()
    await delay(5)
    assert.ok(transport.unsent < unsent)
    line.stuck = false
    while (line.let()) await delay(1)
    await eventually(() => recorder.events.includes('written'), 'the write')
    assert.ok(line.output.equals(expected))
    assert.equal(transport.unsent, 0)

    line.stuck = true
    assert.equal(transport.write(block.pointer, 2_000_000), PENDING)
    await delay(5)
    const before = line.written.length
    transport.close()
    await Promise.resolve()
    codecOfThread().bytes.fill(0, block.pointer, block.pointer + 2_000_000)
    line.let()
    await eventually(() => recorder.events.includes('closed'), 'the end')
    assert.equal(line.written.length, before)
    assert.deepEqual(recorder.events, ['written', 'closed'])
    heapOfThread().free(block)
  })

  test('what a stream sends at once is written in a moment', options, async () => {
    const block = heapOfThread().allocate(300_000)
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    const transport = new DuplexTransport(stream)
    const recorder = new Recorder()
    transport.open(recorder)
    assert.equal(transport.write(block.pointer, 300_000), PENDING)
    await Promise.resolve()
    assert.deepEqual(recorder.events, ['written'])
    transport.close()
    await Promise.resolve()
    assert.equal(transport.write(block.pointer, 10), -1)
    heapOfThread().free(block)
  })
})
