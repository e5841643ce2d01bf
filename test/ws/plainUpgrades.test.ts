// With the option `port`, a plain upgrade request passes by the HTTP parser. Nobody may notice: the request, its socket and the
// server's count of connections are those of node:http, and so is all that happens to requests that are not plain.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ACCEPTED, ask, type Engine, end, engines, head, KEY, portOf, same } from './serverEngines.js'

const FACTS = [
  ...['method', 'url', 'httpVersion', 'httpVersionMajor', 'httpVersionMinor', 'complete', 'upgrade', 'aborted'],
  ...['rawHeaders', 'headers', 'headersDistinct', 'rawTrailers', 'trailers', 'readable', 'readableEnded', 'destroyed'],
] as const

async function listening({ Server }: Engine) {
  const server = new Server({ port: 0, host: '127.0.0.1' })
  return { server, port: await portOf(server), http: Reflect.get(server, '_server') as Server }
}

/** What a program can see of a request and of its socket. */
function factsOf(request: IncomingMessage, own: unknown): unknown[] {
  const { socket } = request
  const places = [socket.remoteAddress, socket.remoteFamily, socket.localAddress, socket.allowHalfOpen]
  return [FACTS.map((name) => request[name as 'url']), socket === own, request.connection === socket, ...places]
}

const REQUESTS: Readonly<Record<string, string>> = {
  'a plain one': head({ Cookie: 'a=b; c=d', 'X-Blanks': '  a b  ', 'X-Empty': '' }, 'GET /path?a=b HTTP/1.1'),
  'one with a header twice': head({ 'X-A': '1', 'x-a': '2', Cookie: 'a', cookie: 'b' }),
  'one with bytes above ASCII': head({ 'X-A': 'ä' }),
  'one of version 8': head({ 'Sec-WebSocket-Version': '8' }),
}

describe('the request is as node:http makes it', () => {
  for (const [name, request] of Object.entries(REQUESTS)) {
    same(name, async (engine) => {
      const { server, port, http } = await listening(engine)
      const said: unknown[] = []
      server.on('connection', (socket, request) => said.push(factsOf(request, Reflect.get(socket, '_socket'))))
      // More than once: a head that has come before is read in another way.
      for (const key of [KEY, KEY, 'AQIDBAUGBwgJCgsMDQ4PEA=='])
        said.push(await ask(port, request.replace(KEY, key), ACCEPTED))
      server.on('connection', () => http.getConnections((_error, count) => said.push(count)))
      await ask(port, request, ACCEPTED)
      await end(server)
      return said
    })
  }

  same('and its body ends, for whoever reads it', async (engine) => {
    const { server, port } = await listening(engine)
    const ended = once(server, 'connection').then(async ([, request]) => {
      let bytes = 0
      for await (const chunk of request) bytes += chunk.length
      return bytes
    })
    await ask(port, head(), ACCEPTED)
    const bytes = await ended
    await end(server)
    return bytes
  })
})

describe('what is not plain is for node:http', () => {
  same('a head in pieces, after a while', async (engine) => {
    const { server, port } = await listening(engine)
    const socket = connect(port, '127.0.0.1')
    await sleep(20)
    const bytes = head()
    for (let at = 0; at < bytes.length; at += 40) {
      socket.write(bytes.slice(at, at + 40))
      await sleep(1)
    }
    const [answer] = await once(socket, 'data')
    socket.destroy()
    await end(server)
    return String(answer)
  })

  same('requests for the web, one after the other', async (engine) => {
    const { server, port } = await listening(engine)
    const web = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const answer = await ask(port, `${web}${web}`, /426 [\s\S]*426 [\s\S]*Required$/)
    await end(server)
    return answer.replaceAll(/^Date: .*\r\n/gm, '')
  })

  same('a client that says nothing and goes', async (engine) => {
    const { server, port, http } = await listening(engine)
    const socket = connect(port, '127.0.0.1')
    socket.end()
    await once(socket.resume(), 'close')
    const count = await new Promise((resolve) => http.getConnections((_error, found) => resolve(found)))
    await end(server)
    return count
  })

  same('all connections, where somebody listens to them or limits them', async (engine) => {
    const { server, port, http } = await listening(engine)
    const said: unknown[] = []
    http.on('connection', (socket: Socket) => said.push(socket.remoteAddress))
    said.push(await ask(port, head(), ACCEPTED))
    http.removeAllListeners('connection')
    await end(server)
    return said
  })
})

test('a client that has said nothing when the server closes is left to node:http, which ends it from Node.js 26 on', async () => {
  const left: unknown[] = []
  for (const engine of engines) {
    const { server, port, http } = await listening(engine)
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    await sleep(20)
    const closed = once(server, 'close')
    server.close()
    await sleep(20)
    const count = await new Promise((resolve) => http.getConnections((_error, found) => resolve(found)))
    left.push(count)
    if (count === 1) {
      socket.write(head())
      const [answer] = await once(socket, 'data')
      assert.match(String(answer), /^HTTP\/1\.1 426 /)
    }
    socket.destroy()
    await closed
  }
  assert.equal(left[1], left[0])
})
