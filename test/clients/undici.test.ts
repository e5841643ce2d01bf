// undici's WebSocket follows the browsers' specification and is the one that Node.js has built in: the npm package
// is tested everywhere, the global one where this Node.js has it.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { after, before, describe, test } from 'node:test'
import { Agent, ping, WebSocket, type WebSocketInit } from 'undici'
import type { ListenOptions } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { Inbox } from './inbox.js'
import { assertSame, binary, lengths, multiByte, type Payload, payloads } from './payloads.js'
import { type Ending, longestReason, Recorder, travellingCodes } from './recorder.js'

const timeout = 60_000

class UndiciClient {
  readonly socket: WebSocket
  readonly messages = new Inbox<Payload>()
  readonly ended: Promise<Ending & { readonly wasClean: boolean }>

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }: { data: string | ArrayBuffer }) => {
      this.messages.push(typeof data === 'string' ? data : Buffer.from(data))
    })
    this.ended = new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason, wasClean }) => {
        this.messages.end(`closed with ${code} ${reason}`)
        resolve({ code, reason, wasClean })
      })
    })
  }

  static async open(Implementation: typeof WebSocket, url: string, how?: WebSocketInit): Promise<UndiciClient> {
    const client = new UndiciClient(new Implementation(url, how))
    await new Promise((resolve, reject) => {
      client.socket.addEventListener('open', resolve)
      client.socket.addEventListener('error', () => reject(new Error(`no connection to ${url}`)))
    })
    return client
  }
}

const builtIn: unknown = Reflect.get(globalThis, 'WebSocket')

/** TLS for the npm package, with a certificate that nobody has signed. */
const secure: Way = {
  where: { tls: { key, cert } },
  how: { dispatcher: new Agent({ connect: { rejectUnauthorized: false } }) },
}

interface Way {
  readonly where: ListenOptions
  readonly how: WebSocketInit | undefined
}

suite('undici', WebSocket)
suite('undici over TLS', WebSocket, secure)
if (typeof builtIn === 'function') suite('the global WebSocket', builtIn as typeof WebSocket)
else test('the global WebSocket', { skip: `Node.js ${process.versions.node} has none` })

function suite(
  name: string,
  Implementation: typeof WebSocket,
  { where, how }: Way = { where: {}, how: undefined },
): void {
  describe(name, { timeout }, () => {
    let recorder: Recorder
    let client: UndiciClient

    before(async () => {
      recorder = await Recorder.listen(where)
      client = await UndiciClient.open(Implementation, recorder.url, how)
    })
    after(async () => {
      client.socket.close()
      await client.ended
      await recorder.close()
    })

    for (const length of lengths) {
      test(`${length} bytes`, { timeout }, async () => {
        for (const payload of payloads(length)) {
          client.socket.send(payload)
          assertSame(await client.messages.next(), payload)
        }
      })
    }

    test('many messages in a row come back in order', { timeout }, async () => {
      const sent = Array.from({ length: 2000 }, (_, at) => (at % 2 === 0 ? `${at}` : binary((at * 37) % 3000, at)))
      sent.push(binary(200_000), multiByte(70_000), 'last')
      for (const payload of sent) client.socket.send(payload)
      for (const [at, payload] of sent.entries()) assertSame(await client.messages.next(), payload, `message ${at},`)
    })

    // The API allows a client to send 1000 and 3000 to 4999 only.
    test("the client's code and reason reach the server", { timeout }, async () => {
      for (const code of [1000, 3000, 4999]) {
        for (const reason of ['', 'auf Wiedersehen', longestReason]) {
          const leaving = await UndiciClient.open(Implementation, recorder.url, how)
          leaving.socket.close(code, reason)
          assert.deepEqual(await recorder.ended.next(), { code, reason })
          const { wasClean, ...ending } = await leaving.ended
          assert.equal(wasClean, true)
          assert.equal(ending.code, code)
        }
      }
    })

    test("the server's code and reason reach the client", { timeout }, async () => {
      for (const code of travellingCodes) {
        while (recorder.opened.left > 0) await recorder.opened.next()
        const left = await UndiciClient.open(Implementation, recorder.url, how)
        const connection = await recorder.opened.next()
        connection.close(code, longestReason)
        assert.deepEqual(await left.ended, { code, reason: longestReason, wasClean: true })
        assert.equal((await recorder.ended.next()).code, code)
      }
    })

    test('a ping of the server is answered, and both go on', { timeout }, async () => {
      while (recorder.opened.left > 0) await recorder.opened.next()
      const pinged = await UndiciClient.open(Implementation, recorder.url, how)
      const connection = await recorder.opened.next()
      connection.ping(binary(125))
      pinged.socket.send('still here')
      assert.equal(await pinged.messages.next(), 'still here')
      assert.equal(connection.isOpen, true)
      pinged.socket.close(1000)
      await recorder.ended.next()
    })
  })
}

test('pings of undici are answered with what they carried', { timeout }, async () => {
  const recorder = await Recorder.listen()
  const client = await UndiciClient.open(WebSocket, recorder.url)
  const pongs = new Inbox<Buffer>()
  const note = (event: unknown): void => {
    if (typeof event === 'object' && event !== null && 'payload' in event && Buffer.isBuffer(event.payload)) {
      pongs.push(Buffer.from(event.payload))
    }
  }
  subscribe('undici:websocket:pong', note)
  for (const length of [1, 20, 125]) {
    ping(client.socket, binary(length))
    assert.deepEqual(await pongs.next(), binary(length))
  }
  unsubscribe('undici:websocket:pong', note)
  client.socket.close(1000)
  await client.ended
  await recorder.close()
})
