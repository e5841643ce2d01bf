// The client of this project on one end, a page in Chromium on the other, and a millrace server between them, which gives each
// what the other one says: who holds a conversation are two implementations that share nothing.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { type Connection, connect, WebSocket } from '../../src/client.js'
import { createServer, type Connection as ServerConnection } from '../../src/index.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { listening } from '../support/serving.js'
import { visit } from './inChromium.js'
import { assertSame, lengths, type Payload, payloads } from './payloads.js'

const timeout = 60_000
const all: readonly Payload[] = lengths.flatMap(payloads)

/** What two connections to one path say goes to the other one, and so does their end. Who comes first waits for the second. */
async function line(t: TestContext): Promise<string> {
  type End = ServerConnection<{ other: End | undefined }>
  let waiting: End | undefined
  const server = createServer<{ other: End | undefined }>({
    deflate: true,
    upgrade: () => ({ data: { other: undefined } }),
    open(connection) {
      const other = waiting
      waiting = other === undefined ? connection : undefined
      if (other === undefined) return connection.pause()
      connection.data.other = other
      other.data.other = connection
      other.resume()
    },
    message: ({ data: { other } }, message) => void other?.send(message),
    close: ({ data: { other } }, code, reason) => other?.close(code === 1005 ? undefined : code, reason),
  })
  await listening(t, server)
  return `ws://127.0.0.1:${server.address?.port}/`
}

describe('Chromium’s page as the other end', { skip: chromiumMissing() }, () => {
  let browser: Browser
  let page: Page
  before(async () => {
    browser = await launchChromium()
    page = await browser.newPage()
  })
  after(() => browser.close())

  for (const deflate of [false, true]) {
    const how = deflate ? 'compressed' : 'plain'
    test(`what the page says comes back from the client, ${how}, and then its Close`, { timeout }, async (t) => {
      const url = await line(t)
      const ended = new Promise<[number, string]>((resolve, reject) => {
        connect(url, {
          deflate,
          message: (connection, message) => void connection.send(message),
          close: (_, code, reason) => resolve([code, reason]),
        }).catch(reject)
      })
      const close = { code: 3001, reason: 'auf Wiedersehen' }
      const { received, wasClean, extensions } = await visit(page, { url, send: all, close })
      assert.equal(received.length, all.length)
      for (const [at, payload] of all.entries()) assertSame(received[at] ?? 'nothing', payload, `message ${at},`)
      assert.deepEqual({ wasClean, isCompressed: extensions !== '' }, { wasClean: true, isCompressed: true })
      assert.deepEqual(await ended, [close.code, close.reason])
    })

    test(`what the client says comes back from the page, ${how}, and then the client's Close`, {
      timeout,
    }, async (t) => {
      const url = await line(t)
      const told = echoing(page, url)
      const client = await connect(url, { deflate })
      const answers = client.messages()
      for (const [at, payload] of all.entries()) {
        await said(client, payload, at)
        const { value } = await answers.next()
        assert.ok(value !== undefined, `message ${at}`)
        const back = value.isText ? value.text() : Buffer.from(value.bytes)
        assertSame(back, payload, `message ${at},`)
      }
      client.close(4002, 'done')
      assert.equal((await answers.next()).done, true)
      assert.deepEqual(await told, { code: 4002, reason: 'done', wasClean: true })
    })
  }

  test('the WebSocket of this package and that of the page tell the same of their conversation', {
    timeout,
  }, async (t) => {
    const url = await line(t)
    const told = echoing(page, url)
    const socket = new WebSocket(url)
    const heard: unknown[] = []
    const end = await new Promise((resolve) => {
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => {
        socket.send('é'.repeat(70_000))
        socket.send(new Blob(['from a Blob']))
        socket.send(new Uint8Array([0, 255]).buffer)
      }
      socket.onmessage = ({ data }) => {
        heard.push(typeof data === 'string' ? data.length : Buffer.from(data as ArrayBuffer).toString('latin1'))
        if (heard.length === 3) socket.close(3999, 'enough')
      }
      socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })
    })
    assert.deepEqual(heard, [70_000, 'from a Blob', '\0ÿ'])
    // Whoever answers Close says the code again, and no reason.
    assert.deepEqual(end, { code: 3999, reason: '', wasClean: true })
    assert.deepEqual(await told, { code: 3999, reason: 'enough', wasClean: true })
  })

  test('a page that is left ends the client with 1001', { timeout }, async (t) => {
    const url = await line(t)
    const leaving = await browser.newPage()
    await leaving.evaluate(`void (window.socket = new WebSocket('${url}'))`)
    const ended = new Promise<number>((resolve, reject) => {
      connect(url, { close: (_, code) => resolve(code) }).then(() => leaving.close(), reject)
    })
    assert.equal(await ended, 1001)
  })
})

/** A page that says back what it hears; resolves with how its connection has ended. */
function echoing(page: Page, url: string): Promise<unknown> {
  return page.evaluate(`new Promise((resolve) => {
    const socket = new WebSocket('${url}')
    socket.binaryType = 'arraybuffer'
    socket.onmessage = ({ data }) => socket.send(data)
    socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })
  })`)
}

/** Says it whole, as a stream or in two fragments, by turns. */
async function said(client: Connection, payload: Payload, at: number): Promise<void> {
  if (at % 3 === 0) return void client.send(payload)
  const half = Math.floor(payload.length / 2)
  const pieces = [payload.slice(0, half), payload.slice(half)]
  if (at % 3 === 1 && typeof payload !== 'string') return client.sendStream(pieces)
  client.sendFragment(pieces[0] ?? '', false)
  client.sendFragment(pieces[1] ?? '', true)
}
