// Bad input over real sockets: each peer's mistake ends that peer alone, with the right close code really received.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { BINARY, CLOSE, close, closeStatus, header, masked, PING, PONG, TEXT } from '../support/frames.js'
import { servingAll } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

let port = 0
let witness: SocketClient

const server = servingAll(
  {
    message: (connection, message) => void connection.send(message),
    closeTimeout: 1000,
    error: () => undefined,
  },
  async () => {
    port = server.address?.port ?? 0
    witness = await SocketClient.upgraded(port)
  },
)

after(() => witness.destroy())

/** A connection that was there all the time still echoes. */
async function othersLive(): Promise<void> {
  const index = witness.receivedFrames.length
  witness.write(masked(TEXT, `still here ${index}`))
  assert.equal((await witness.frame(index)).payload.toString(), `still here ${index}`)
}

test('random bytes end in a Close frame or a refusal, never in silence', async () => {
  for (let round = 0; round < 100; round++) {
    const client = await SocketClient.upgraded(port)
    client.write(randomBytes(200 + round * 50))
    client.socket.end()
    await client.end()
    const codes = client.receivedFrames
      .filter(({ opcode }) => opcode === CLOSE)
      .map((frame) => closeStatus(frame)?.code)
    // Once in ten thousand runs they are a Close, without a code or with one: then the answer says the same (section 5.5.1).
    assert.ok(
      codes.every((code = 0) => [1000, 1002, 1005, 1007, 1009].includes(code) || (code >= 3000 && code < 5000)),
      `${codes}`,
    )
    await client.destroy()
  }
  await othersLive()
})

test('frames cut at every byte arrive whole', async () => {
  const client = await SocketClient.upgraded(port)
  const frames = [masked(TEXT, 'héllo'), masked(BINARY, Buffer.alloc(130, 1)), masked(PING, 'p'), masked(TEXT, '')]
  const bytes = Buffer.concat(frames)
  let expected = 0
  for (let cut = 1; cut < bytes.length; cut++) {
    client.write(bytes.subarray(0, cut))
    await new Promise((resolve) => setImmediate(resolve))
    client.write(bytes.subarray(cut))
    expected += frames.length
    await client.frame(expected - 1)
  }
  assert.equal(client.receivedFrames.length, expected)
  const last = client.receivedFrames.slice(-4).map(({ opcode, payload }) => [opcode, payload.length])
  assert.deepEqual(last, [
    [TEXT, 6],
    [BINARY, 130],
    [PONG, 1],
    [TEXT, 0],
  ])
  await client.destroy()
})

test('100,000 fragments of one byte are one message', async () => {
  const client = await SocketClient.upgraded(port)
  const part = masked(0, 'x', false)
  client.write(Buffer.concat([masked(TEXT, 'a', false), ...Array.from({ length: 99_998 }, () => part), masked(0, 'z')]))
  const echo = await client.frame(0)
  assert.equal(echo.payload.length, 100_000)
  assert.equal(echo.payload.toString(), `a${'x'.repeat(99_998)}z`)
  await client.destroy()
})

test('an unmasked frame gets 1002, and the Close frame arrives although the peer keeps sending', async () => {
  const client = await SocketClient.upgraded(port)
  client.write(Buffer.concat([header(0x82, 0, 4), Buffer.alloc(4), randomBytes(2_000_000)]))
  for (let n = 0; n < 20; n++) client.write(randomBytes(100_000))
  await client.end()
  assert.equal(client.error, undefined)
  assert.deepEqual(
    client.receivedFrames.map((frame) => closeStatus(frame)?.code),
    [1002],
  )
  await client.destroy()
  await othersLive()
})

test('a ping flood that is not read keeps the pongs bounded, and ends in all of them', async () => {
  const client = await SocketClient.upgraded(port)
  const before = new Set(server.connections)
  client.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 2000 }, () => masked(PING, Buffer.alloc(125, 'p'))))
  const [flooded] = [...server.connections]
    .filter((connection) => !before.has(connection))
    .concat([...before].at(-1) ?? [])
  let most = 0
  for (let n = 0; n < 100; n++) {
    client.write(pings)
    await new Promise((resolve) => setImmediate(resolve))
    most = Math.max(most, flooded?.bufferedAmount ?? 0)
  }
  assert.ok(most < 1.5 * 1024 * 1024, `${most} bytes of pongs`)
  client.socket.resume()
  await client.until(() => client.receivedFrames.length === 200_000, 'all pongs', 60_000)
  assert.ok(client.receivedFrames.every(({ opcode, payload }) => opcode === PONG && payload.length === 125))
  await client.destroy()
})

test('a peer that sends one byte at a time is served', async () => {
  const client = await SocketClient.upgraded(port)
  for (const byte of masked(TEXT, 'slow')) {
    client.write(Buffer.from([byte]))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.equal((await client.frame(0)).payload.toString(), 'slow')
  await client.destroy()
})

test('a reset at every stage leaves nothing behind', async () => {
  const stages = [
    '',
    'GET / HT',
    masked(TEXT, 'x').subarray(0, 1),
    masked(BINARY, Buffer.alloc(70_000)).subarray(0, 30_000),
    close(1000),
  ]
  for (const bytes of stages) {
    const client = typeof bytes === 'string' ? await SocketClient.open(port) : await SocketClient.upgraded(port)
    client.write(bytes)
    await new Promise((resolve) => setTimeout(resolve, 20))
    client.socket.resetAndDestroy()
  }
  await until(() => server.connections.size === 1)
  await othersLive()
})

test('a half-close without Close gets the answers that were due, then the end', async () => {
  const client = await SocketClient.upgraded(port)
  client.write(masked(BINARY, Buffer.alloc(3_000_000, 5)))
  client.socket.end()
  await client.end()
  assert.equal(client.receivedFrames[0]?.payload.length, 3_000_000)
  await client.destroy()
  await until(() => server.connections.size === 1)
})

test('close racing with send: whoever sees Close first, both ends see an end', async () => {
  for (let round = 0; round < 50; round++) {
    const client = await SocketClient.upgraded(port)
    const connection = [...server.connections].at(-1)
    client.write(Buffer.concat([masked(TEXT, 'a'), close(1000)]))
    connection?.send('unasked')
    if (round % 2 === 0) connection?.close(3000)
    connection?.send('late')
    await client.end()
    assert.equal(client.receivedFrames.filter(({ opcode }) => opcode === CLOSE).length, 1)
    assert.equal(client.receivedFrames.at(-1)?.opcode, CLOSE)
    await client.destroy()
  }
})

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 300 && !condition(); n++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(condition())
}
