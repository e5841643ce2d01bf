// An Upgrade header that offers something else than WebSocket is no concern of this server: `curl --http2` and Java's
// client write one into any request, and want the answer that everybody gets.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { route, type ServerOptions } from '../../src/server/options.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { requestOf, upgradeRequest } from '../support/httpRequests.js'
import { delay } from '../support/socketClient.js'

const OFFER = ['Host: x', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']

/** Says of each request what it was, and how long its body. */
const web: ServerOptions = {
  request: async (request, response) => {
    let length = 0
    for await (const chunk of request) length += chunk.length
    response.end(`[${request.method} ${request.url} ${length}]`)
  },
  message: (connection, message) => connection.send(message),
}

async function answers(trial: Trial, request: string, body: readonly string[], answer: string): Promise<void> {
  const client = await trial.send(request)
  for (const piece of body) {
    await delay(15)
    client.write(piece)
  }
  await client.until(() => client.text.includes(']'), 'the answer')
  assert.match(client.text, /^HTTP\/1\.1 200 /)
  assert.ok(client.text.includes(answer), client.text)
  assert.equal(client.over, false)
}

describe('a request that offers another protocol goes to request, with its body', () => {
  inEveryLane('GET and HEAD', async (trial) => {
    await trial.serve(web)
    await answers(trial, requestOf(OFFER, 'GET /a HTTP/1.1'), [], '[GET /a 0]')
    const client = await trial.send(requestOf(OFFER, 'HEAD /a HTTP/1.1'))
    assert.equal((await client.response()).status, 200)
  })

  inEveryLane('POST of a length, of none, and in chunks', async (trial) => {
    await trial.serve(web)
    const post = (header: string): string => requestOf([...OFFER, header], 'POST /b HTTP/1.1')
    await answers(trial, `${post('Content-Length: 5')}hello`, [], '[POST /b 5]')
    await answers(trial, `${post('Content-Length: 5')}he`, ['l', 'lo'], '[POST /b 5]')
    await answers(trial, post('Content-Length: 0'), [], '[POST /b 0]')
    await answers(trial, `${post('Transfer-Encoding: chunked')}5\r\nhe`, ['llo\r\n0', '\r\n\r\n'], '[POST /b 5]')
  })

  inEveryLane('and others than h2c', async (trial) => {
    await trial.serve(web)
    for (const offer of ['TLS/1.0', 'h2c, h2', 'websockets', 'WebSocket/13', 'my-websocket', '', ',']) {
      const text = requestOf(['Host: x', 'Connection: Upgrade', `Upgrade: ${offer}`], 'GET /c HTTP/1.1')
      await answers(trial, text, [], '[GET /c 0]')
    }
  })

  inEveryLane('and then the connection may become a WebSocket', async (trial) => {
    await trial.serve(web)
    const client = await trial.send(requestOf(OFFER, 'GET /a HTTP/1.1'))
    await client.until(() => client.text.endsWith('[GET /a 0]'), 'the answer')
    const before = client.text.length
    await trial.request(client, upgradeRequest({ Upgrade: 'h2c, websocket' }), masked(TEXT, 'hi'))
    await client.until(() => client.text.slice(before).endsWith('\x81\x02hi'), 'the echo')
    assert.match(client.text.slice(before), /^HTTP\/1\.1 101 /)
  })
})

inEveryLane('an upgrade behind a request that is not answered is answered after it', async (trial) => {
  let release: () => void = () => undefined
  await trial.serve({
    request: (_, response) => {
      release = () => response.end('slow')
    },
    message: (connection, message) => connection.send(message),
  })
  const client = await trial.send(requestOf(['Host: x']) + upgradeRequest(), masked(TEXT, 'hi'))
  await delay(60)
  assert.equal(client.text, '')
  release()
  await client.until(() => client.text.endsWith('\x81\x02hi'), 'the echo')
  assert.match(client.text, /^HTTP\/1\.1 200 [\s\S]*slow\r?\n?[\s\S]*HTTP\/1\.1 101 /)
})

inEveryLane('a whole URL in the request line is routed by its path', async (trial) => {
  const seen: string[] = []
  const note = (name: string, { target, path, query }: UpgradeRequest): void => {
    seen.push(`${name} ${target} ${path} ${query.get('a')}`)
  }
  await trial.serve({
    upgrade: (request) => note('-', request),
    routes: { '/chat': route({ upgrade: (request) => note('chat', request) }) },
  })
  for (const target of ['http://x/chat?a=b', 'ws://x:80/chat?a=b', 'HTTPS://x/chat?a=b', 'http://x?a=b', 'http://x']) {
    const client = await trial.send(upgradeRequest({}, `GET ${target} HTTP/1.1`))
    assert.equal((await client.response()).status, 101, target)
  }
  assert.deepEqual(seen, [
    'chat http://x/chat?a=b /chat b',
    'chat ws://x:80/chat?a=b /chat b',
    'chat HTTPS://x/chat?a=b /chat b',
    '- http://x?a=b / b',
    '- http://x / null',
  ])
})
