// The client of this project against servers that others have written: ws, and python3-websockets, which shares nothing with
// Node.js. (nginx in between is in test/server/nginx.test.ts.)
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { WebSocketServer, type WebSocket as WsSocket } from 'ws'
import { type Connection, connect, type Message, WebSocket } from '../../src/client.js'
import { pythonServer, pythonWebsocketsMissing } from '../support/python.js'

const LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 1_000_000]

/** Sends texts and bytes of every length, and demands each of them back. */
async function echoes(url: string, deflate: boolean): Promise<void> {
  const client = await connect(url, { deflate, protocols: ['chat'] })
  assert.equal(client.protocol, 'chat')
  assert.equal(client.deflateStatistics !== undefined, deflate)
  const payloads = LENGTHS.flatMap((length) => ['é'.repeat(length / 2), randomBytes(length)])
  const answers = client.messages()
  for (const payload of payloads) {
    client.send(payload)
    const { value } = (await answers.next()) as { value: Message }
    assert.equal(value.isText, typeof payload === 'string')
    assert.ok(Buffer.from(payload).equals(value.bytes), `${payload.length}`)
  }
  assert.ok((await client.ping()) >= 0)
  client.close(4000, 'done')
  assert.equal((await answers.next()).done, true)
}

/** What both sides are told of an end that the server begins. */
async function endOf(url: string): Promise<[number, string]> {
  let end: (told: [number, string]) => void = () => undefined
  const told = new Promise<[number, string]>((resolve) => {
    end = resolve
  })
  const client: Connection = await connect(url, {
    protocols: ['chat'],
    close: (_, code, reason) => end([code, reason]),
  })
  client.send('close')
  return told
}

async function page(url: string): Promise<void> {
  const socket = new WebSocket(url, 'chat')
  socket.binaryType = 'arraybuffer'
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  socket.send(new Blob(['from a Blob']))
  const data = await new Promise((resolve) => {
    socket.onmessage = (event) => resolve(event.data)
  })
  assert.equal(Buffer.from(data as ArrayBuffer).toString(), 'from a Blob')
  const ended = new Promise<[number, boolean]>((resolve) => {
    socket.onclose = ({ code, wasClean }) => resolve([code, wasClean])
  })
  socket.close()
  assert.deepEqual(await ended, [1005, true])
}

describe('ws as the server', () => {
  async function server(t: TestContext): Promise<string> {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } })
    await once(wss, 'listening')
    t.after(() => {
      for (const socket of wss.clients) socket.terminate()
      wss.close()
    })
    wss.on('connection', (socket: WsSocket) => {
      socket.on('message', (data, binary) => {
        if (!binary && String(data) === 'close') socket.close(4001, 'as you wish')
        else socket.send(data, { binary })
      })
    })
    const address = wss.address()
    return `ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  }
  for (const deflate of [false, true]) {
    test(`every tier comes back, ${deflate ? 'compressed' : 'plain'}`, async (t) => echoes(await server(t), deflate))
  }
  test('the server closes', async (t) => {
    assert.deepEqual(await endOf(await server(t)), [4001, 'as you wish'])
  })
  test('the WebSocket of browsers', async (t) => page(await server(t)))
})

describe('python3-websockets as the server', { skip: pythonWebsocketsMissing() }, () => {
  for (const deflate of [false, true]) {
    test(`every tier comes back, ${deflate ? 'compressed' : 'plain'}`, { timeout: 30_000 }, async (t) =>
      echoes(await pythonServer(t), deflate),
    )
  }
  test('the server closes', { timeout: 30_000 }, async (t) => {
    assert.deepEqual(await endOf(await pythonServer(t)), [4001, 'as you wish'])
  })
  test('the WebSocket of browsers', { timeout: 30_000 }, async (t) => page(await pythonServer(t)))
})
