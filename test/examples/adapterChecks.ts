// What each adapter for a framework must do, whatever the framework calls it: the same application is written for each, and the
// same clients try it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { Inbox } from '../clients/inbox.js'
import { type Ended, WsClient } from '../clients/wsClient.js'
import { closeStatus, masked, TEXT } from '../support/frames.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

/** How long the hook of `/slow` thinks, in milliseconds. */
export const THOUGHT = 80

/** Bytes that `flood` is answered with, in messages of 64 KiB. */
export const FLOOD = 64 * 1024 * 1024

/**
 * The application. On `/echo`, what comes is sent back, but `close` is answered with Close 4001 `bye`, `throw` makes the handler
 * throw, and `flood` sends FLOOD bytes at once and `drained` when they have left. `/slow` is the same after THOUGHT.
 * `/refused` is refused with 402, the header `X-Why: price` and the body `pay first`. `/cookies` answers with the cookies a=1 and
 * b=2, and sends the request's own. `/protocol` chooses `chat`. `/failing` has a hook that throws. `/page` answers plain requests with `a page`.
 */
export interface Application {
  readonly port: number
  readonly closed: Inbox<Ended>
  readonly errors: Inbox<unknown>
  /** How many connections are open. */
  connections(): number
  end(): Promise<void>
}

/** The queues that an application fills. */
export function queues(): Pick<Application, 'closed' | 'errors'> {
  return { closed: new Inbox<Ended>(), errors: new Inbox<unknown>() }
}

/** `hasUrl` says that hooks are given the request with a URL, for which its Host must be one. */
export function checkAdapter(start: () => Promise<Application>, { hasUrl = false } = {}): void {
  let application: Application
  before(async () => {
    application = await start()
  })
  after(() => application.end())

  const open = (path: string, options?: ClientOptions): Promise<WsClient> =>
    WsClient.open(`ws://127.0.0.1:${application.port}${path}`, options)

  test('text and bytes come back as they came', async () => {
    const client = await open('/echo')
    client.socket.send('grüß dich')
    client.socket.send(Buffer.from([0, 255, 128]))
    client.socket.send('')
    assert.equal(await client.messages.next(), 'grüß dich')
    assert.deepEqual(await client.messages.next(), Buffer.from([0, 255, 128]))
    assert.equal(await client.messages.next(), '')
    await client.close(1000)
    await application.closed.next()
  })

  test('close codes and reasons pass in both directions', async () => {
    const leaving = await open('/echo')
    await leaving.close(4321, 'see you')
    assert.deepEqual(await application.closed.next(), { code: 4321, reason: 'see you' })
    const sent = await open('/echo')
    sent.socket.send('close')
    assert.deepEqual(await sent.ended, { code: 4001, reason: 'bye' })
    assert.equal((await application.closed.next()).code, 4001)
    const gone = await open('/echo')
    gone.socket.terminate()
    assert.equal((await application.closed.next()).code, 1006)
  })

  test('a handler that throws costs only its own connection, and is told', async () => {
    const other = await open('/echo')
    const client = await open('/echo')
    client.socket.send('throw')
    assert.equal((await client.ended).code, 1011)
    assert.match(String(await application.errors.next()), /on purpose/)
    assert.equal((await application.closed.next()).code, 1011)
    other.socket.send('still here')
    assert.equal(await other.messages.next(), 'still here')
    await other.close(1000)
    await application.closed.next()
  })

  test('a client that breaks the protocol is told so, and so is the application', async () => {
    const client = await SocketClient.open(application.port)
    client.write(Buffer.concat([latin1(upgradeRequest({}, 'GET /echo HTTP/1.1')), Buffer.from([0x81, 0x01, 0x61])]))
    assert.equal(closeStatus(await client.frame(0))?.code, 1002)
    assert.match(String(await application.errors.next()), /mask/i)
    await client.destroy()
    assert.equal((await application.closed.next()).code, 1002)
  })

  test('a refusal has its status, headers and body', async () => {
    const response = await refused(`ws://127.0.0.1:${application.port}/refused`)
    assert.equal(response.statusCode, 402)
    assert.equal(response.headers['x-why'], 'price')
    assert.match(await bodyOf(response), /pay first/)
  })

  test('a hook that fails is answered with 500', async () => {
    assert.equal((await refused(`ws://127.0.0.1:${application.port}/failing`)).statusCode, 500)
  })

  test('the cookies of the request are seen, and those of the response are sent', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${application.port}/cookies`, { headers: { cookie: 'c=3; d=4' } })
    const [[response], [message]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'message')])
    assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(String(message), 'c=3; d=4')
    socket.close()
    await application.closed.next()
  })

  test('a subprotocol is agreed on', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${application.port}/protocol`, ['soap', 'chat'])
    await once(socket, 'open')
    assert.equal(socket.protocol, 'chat')
    socket.close()
    await application.closed.next()
  })

  test('frames that come with the request, and while a hook thinks, are delivered', async () => {
    const client = await SocketClient.open(application.port)
    client.write(Buffer.concat([latin1(upgradeRequest({}, 'GET /slow HTTP/1.1')), masked(TEXT, 'with it')]))
    await delay(THOUGHT / 2)
    client.write(masked(TEXT, 'meanwhile'))
    const frames = await client.frames(2)
    assert.deepEqual(
      frames.map(({ payload }) => String(payload)),
      ['with it', 'meanwhile'],
    )
    await client.destroy()
    await application.closed.next()
  })

  test('clients that die while a hook thinks leave nothing behind', async () => {
    const ways = ['destroy', 'resetAndDestroy', 'end'] as const
    const clients = await Promise.all(Array.from({ length: 60 }, () => SocketClient.open(application.port)))
    for (const client of clients) client.write(upgradeRequest({}, 'GET /slow HTTP/1.1'))
    await delay(THOUGHT / 2)
    for (const [at, client] of clients.entries()) client.socket[ways[at % ways.length] ?? 'end']()
    await delay(2 * THOUGHT)
    await Promise.all(clients.map((client) => client.destroy()))
    await eventually(() => application.connections() === 0, 'none is open')
    while (application.closed.left > 0) await application.closed.next()
    const client = await open('/slow')
    client.socket.send('the next')
    assert.equal(await client.messages.next(), 'the next')
    await client.close(1000)
    await application.closed.next()
  })

  test('plain requests are answered, and upgrades of paths without a WebSocket are not opened', async () => {
    const [response] = await once(get(`http://127.0.0.1:${application.port}/page`, { agent: false }), 'response')
    assert.equal(response.statusCode, 200)
    assert.match(await bodyOf(response), /a page/)
    for (const path of ['/page', '/nowhere']) {
      const { statusCode = 0 } = await refused(`ws://127.0.0.1:${application.port}${path}`)
      assert.ok(statusCode !== 101, path)
    }
    assert.equal(application.connections(), 0)
  })

  test('an upgrade that is none of RFC 6455 is refused', async () => {
    for (const changes of [{ 'Sec-WebSocket-Version': '8' }, { 'Sec-WebSocket-Key': 'short' }]) {
      const client = await SocketClient.open(application.port)
      client.write(upgradeRequest(changes, 'GET /echo HTTP/1.1'))
      const { status } = await client.response()
      assert.ok(status === 400 || status === 426, `${status}`)
      await client.destroy()
    }
  })

  test('an upgrade that comes right behind another request does not get into its answer', async () => {
    const client = await SocketClient.open(application.port)
    const page = 'GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
    client.write(Buffer.concat([latin1(page + upgradeRequest({}, 'GET /echo HTTP/1.1')), masked(TEXT, 'behind')]))
    await client.until(() => client.over || client.text.includes('behind'), 'an end, or the echo')
    assert.match(
      client.text,
      /^(?:HTTP\/1\.1 200 OK\r\n(?:.|\r\n)*a page(?:HTTP\/1\.1 101 (?:.|\r\n)*\r\n\r\n..behind)?)?$/,
    )
    await client.destroy()
    await eventually(() => application.connections() === 0, 'it has ended')
    while (application.closed.left > 0) await application.closed.next()
  })

  const url = hasUrl ? test : undefined
  url?.('a Host that makes no URL is answered with 400', async () => {
    const client = await SocketClient.open(application.port)
    client.write(upgradeRequest({ Host: 'no host:x' }, 'GET /echo HTTP/1.1'))
    assert.equal((await client.response()).status, 400)
    await client.destroy()
  })

  test('what a client does not read waits, and the application hears when it has left', async () => {
    const client = await open('/echo')
    client.socket.send('flood')
    client.socket.pause()
    await delay(100)
    client.socket.resume()
    let received = 0
    while (received < FLOOD) received += Buffer.byteLength(await client.messages.next())
    assert.equal(received, FLOOD)
    assert.equal(await client.messages.next(), 'drained')
    await client.close(1000)
    await application.closed.next()
  })
}

/** The response with which an upgrade is refused. */
export function refused(url: string, options: ClientOptions = {}): Promise<IncomingMessage> {
  const socket = new WebSocket(url, options)
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error(`${url} is accepted`)))
    socket.once('error', reject)
    socket.once('unexpected-response', (_, response) => resolve(response))
  })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return body
}
