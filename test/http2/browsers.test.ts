// Browsers open a WebSocket as a stream of the session that their page came by, if the server's SETTINGS offer it.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { createServer, type Server, type UpgradeRequest } from '../../src/index.js'
import { visit } from '../clients/inChromium.js'
import { assertSame, binary, multiByte } from '../clients/payloads.js'
import { cert, key } from '../support/certificate.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { Firefox, firefoxMissing } from '../support/firefox.js'

const timeout = 60_000

/** A page, and a server that echoes, all on one port with TLS. */
class Site {
  readonly requests: UpgradeRequest[] = []
  readonly endings: { readonly code: number; readonly reason: string }[] = []
  readonly versions: string[] = []
  readonly server: Server<undefined>

  constructor() {
    this.server = createServer({
      deflate: true,
      origins: ['self'],
      closeTimeout: 500,
      open: ({ request }) => void this.requests.push(request),
      message: (connection, message) => connection.send(message),
      close: (_, code, reason) => this.endings.push({ code, reason }),
      request: (request, response) => {
        this.versions.push(request.httpVersion)
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>page</title>')
      },
    })
  }

  async listen(): Promise<void> {
    await this.server.listen({ host: '127.0.0.1', http2: true, tls: { key, cert } })
  }

  get page(): string {
    return `https://localhost:${this.server.port}/page`
  }

  get socket(): string {
    return `wss://localhost:${this.server.port}/socket`
  }
}

describe('Chromium', { skip: chromiumMissing() }, () => {
  const site = new Site()
  let browser: Browser
  let page: Page

  before(async () => {
    await site.listen()
    browser = await launchChromium(['--ignore-certificate-errors'])
    page = await browser.newPage({ ignoreHTTPSErrors: true })
    await page.goto(site.page)
  })
  after(async () => {
    await browser.close()
    await site.server.close()
  })

  test('messages of all lengths come back over HTTP/2, compressed, and Close travels', { timeout }, async () => {
    const send = ['', 'short', multiByte(70_000), binary(300_000), binary(65_535, 1)]
    const seen = await visit(page, { url: site.socket, send, close: { code: 4321, reason: 'enough' } })
    for (const [at, payload] of send.entries()) {
      const back = seen.received[at]
      assert.ok(back !== undefined)
      assertSame(back, payload)
    }
    assert.deepEqual([seen.code, seen.wasClean], [4321, true])
    assert.match(seen.extensions, /^permessage-deflate/)
    assert.ok(site.versions.includes('2.0'))
    const [request] = site.requests
    assert.equal(request?.headers['sec-websocket-key'], undefined)
    assert.equal(request?.tls?.alpnProtocol, 'h2')
    assert.equal(site.endings[0]?.code, 4321)
  })

  test('several connections at once share the session', { timeout }, async () => {
    const visits = Array.from({ length: 8 }, (_, at) =>
      visit(page, { url: site.socket, send: [`${at}`], close: { code: 1000 } }),
    )
    for (const [at, { received }] of (await Promise.all(visits)).entries()) assert.deepEqual(received, [`${at}`])
  })
})

describe('Firefox', { skip: firefoxMissing() }, () => {
  const site = new Site()
  let firefox: Firefox

  before(async () => {
    await site.listen()
    firefox = await Firefox.launch()
    await firefox.open(site.page)
  })
  after(async () => {
    await firefox?.close()
    await site.server.close()
  })

  test('messages come back over HTTP/2, and Close travels', { timeout }, async () => {
    const seen = await firefox.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(site.socket)})
      const received = []
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => { socket.send('hello'); socket.send(new Uint8Array(100_000).fill(7)); socket.send('é'.repeat(40_000)) }
      socket.onmessage = ({ data }) => {
        received.push(typeof data === 'string' ? data.length : -data.byteLength)
        if (received.length === 3) socket.close(4321, 'enough')
      }
      socket.onclose = ({ code, wasClean }) => resolve(JSON.stringify({ received, code, wasClean }))
    })`)
    assert.deepEqual(JSON.parse(seen), { received: [5, -100_000, 40_000], code: 4321, wasClean: true })
    const [request] = site.requests
    assert.equal(request?.tls?.alpnProtocol, 'h2')
    assert.ok(Buffer.byteLength(request?.headers['user-agent'] ?? '') > 0)
  })
})
