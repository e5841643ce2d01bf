// `connection.request` is read again from the request's own bytes, long after the handshake. It must say the same in every
// handler, in every lane, for as long as somebody asks, and know nothing that the client did not send.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import type { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { deferred, inEveryLane } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { SAMPLE_ACCEPT, SAMPLE_KEY, upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually } from '../support/socketClient.js'

const text = upgradeRequest(
  {
    Origin: 'https://example.com',
    'Sec-WebSocket-Protocol': 'chat , superchat',
    Cookie: 'a=1; b=2',
    constructor: 'x',
    toString: '',
  },
  'GET /rooms/a%20b?x=1&x=2&y=%26&__proto__=z HTTP/1.1',
)

/** Everything that a request says. */
function factsOf(request: UpgradeRequest): Record<string, unknown> {
  const { target, path, query, headers, cookies, origin, protocols, secure, remoteAddress, params } = request
  return {
    target,
    path,
    query: [...query],
    headers: { ...headers },
    cookies: { ...cookies },
    origin,
    protocols,
    secure,
    remoteAddress,
    params: { ...params },
  }
}

const expected = {
  target: '/rooms/a%20b?x=1&x=2&y=%26&__proto__=z',
  path: '/rooms/a%20b',
  query: [
    ['x', '1'],
    ['x', '2'],
    ['y', '&'],
    ['__proto__', 'z'],
  ],
  headers: {
    host: '127.0.0.1',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': SAMPLE_KEY,
    'sec-websocket-version': '13',
    origin: 'https://example.com',
    'sec-websocket-protocol': 'chat , superchat',
    cookie: 'a=1; b=2',
    constructor: 'x',
    tostring: '',
  },
  cookies: { a: '1', b: '2' },
  origin: 'https://example.com',
  protocols: ['chat', 'superchat'],
  secure: false,
  remoteAddress: '127.0.0.1',
  params: {},
}

describe('the facts of a request', () => {
  for (const timing of ['at once', 'later']) {
    inEveryLane(`are the same in upgrade and in every handler, answered ${timing}`, async (trial) => {
      const facts: Record<string, unknown>[] = []
      const requests = new Set<UpgradeRequest>()
      const closed = deferred()
      const note = ({ request }: Connection<undefined>): void => {
        requests.add(request)
        facts.push(factsOf(request))
      }
      await trial.serve({
        upgrade: (request) => {
          requests.add(request)
          facts.push(factsOf(request))
          return timing === 'later' ? delay(20) : undefined
        },
        open: note,
        message: async (connection) => {
          note(connection)
          await delay(10)
          note(connection)
        },
        pong: note,
        close(connection) {
          note(connection)
          closed.resolve(undefined)
        },
      })
      const client = await trial.send(text, Buffer.concat([masked(TEXT, 'hi'), masked(10, 'pong')]))
      await eventually(() => facts.length >= 5, 'the handlers')
      await delay(50)
      await client.destroy()
      await closed.promise
      assert.equal(facts.length, 6)
      assert.equal(requests.size, 1)
      for (const one of facts.slice(0, 5)) assert.deepEqual(one, expected)
      assert.deepEqual(facts[5], { ...expected, remoteAddress: undefined })
    })
  }

  inEveryLane('are kept by those who keep the request, when the connection is long gone', async (trial) => {
    const requests: UpgradeRequest[] = []
    const closed = deferred()
    await trial.serve({
      open: ({ request }) => void requests.push(request),
      close: () => closed.resolve(undefined),
    })
    const client = await trial.send(text)
    await client.response()
    await client.destroy()
    await closed.promise
    const [request] = requests
    assert.ok(request !== undefined)
    assert.deepEqual(factsOf(request), { ...expected, remoteAddress: undefined })
  })

  inEveryLane('inherit nothing', async (trial) => {
    const requests: UpgradeRequest[] = []
    await trial.serve({ open: ({ request }) => void requests.push(request) })
    const lines = '\r\n__proto__: x\r\nX-Latin: caf\xe9\r\n\r\n'
    await (await trial.send(upgradeRequest().replace('\r\n\r\n', lines))).response()
    const [request] = requests
    assert.ok(request !== undefined)
    assert.equal(Object.getPrototypeOf(request.headers), null)
    assert.equal(Object.entries(request.headers).find(([name]) => name === '__proto__')?.[1], 'x')
    assert.equal(request.headers['constructor'], undefined)
    assert.equal(request.headers['x-latin'], 'caf\xe9')
    assert.equal(Object.getPrototypeOf(request.params), null)
    assert.deepEqual([request.origin, request.protocols], [undefined, []])
    assert.deepEqual([...request.query], [['room', '1']])
  })

  inEveryLane('are of that request, not of what came behind it, nor of another', async (trial) => {
    const targets: string[] = []
    await trial.serve({ message: ({ request }) => void targets.push(`${request.target} ${request.headers['x']}`) })
    await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        trial.send(upgradeRequest({ X: String(at) }, `GET /${at} HTTP/1.1`), masked(TEXT, 'GET /evil HTTP/1.1\r\n')),
      ),
    )
    await eventually(() => targets.length === 30, 'all messages')
    assert.deepEqual(
      targets.toSorted((one, other) => one.localeCompare(other)),
      Array.from({ length: 30 }, (_, at) => `/${at} ${at}`).toSorted((one, other) => one.localeCompare(other)),
    )
  })

  inEveryLane('a target without a query, or with an empty one, or with two', async (trial) => {
    const seen: unknown[] = []
    await trial.serve({ open: ({ request }) => void seen.push([request.path, String(request.query)]) })
    for (const target of ['/', '/a?', '/a?b?c', '//x?y', '/a;b?c#d']) {
      assert.equal((await (await trial.send(upgradeRequest({}, `GET ${target} HTTP/1.1`))).response()).status, 101)
    }
    assert.deepEqual(seen, [
      ['/', ''],
      ['/a', ''],
      ['/a', 'b%3Fc='],
      ['//x', 'y='],
      ['/a;b', 'c%23d='],
    ])
  })

  inEveryLane('a repeated header is joined, the signal is not aborted by the end', async (trial) => {
    const requests: UpgradeRequest[] = []
    const closed = deferred()
    await trial.serve({
      upgrade: (request) => void request.signal,
      open: ({ request }) => void requests.push(request),
      close: () => closed.resolve(undefined),
    })
    const client = await trial.send(upgradeRequest({ X: 'a' }).replace('\r\n\r\n', '\r\nx: b\r\nX:c\r\n\r\n'))
    await client.response()
    assert.equal(requests[0]?.headers['x'], 'a, b, c')
    const { signal } = requests[0] ?? {}
    await client.destroy()
    await closed.promise
    assert.equal(signal?.aborted, false)
  })

  inEveryLane(
    'what `upgrade` does to the headers changes nothing of the answer, to no client of one kind',
    async (trial) => {
      let asked = 0
      await trial.serve({
        deflate: true,
        upgrade({ headers }) {
          const changed: Record<string, string | undefined> = headers
          changed['sec-websocket-extensions'] = 'none'
          changed['sec-websocket-key'] = SAMPLE_KEY.toLowerCase()
          return ++asked % 2 === 0 ? undefined : Promise.resolve()
        },
      })
      const request = upgradeRequest({ 'Sec-WebSocket-Extensions': 'permessage-deflate' })
      const heads = new Set<string>()
      // Of so many, some are remembered, and the others are known.
      for (let count = 0; count < (trial.way.pieces ? 4 : 36); count++)
        heads.add((await (await trial.send(request)).response()).head)
      const [head = '', ...others] = heads
      assert.deepEqual(others, [])
      assert.match(head, new RegExp(`^Sec-WebSocket-Accept: ${SAMPLE_ACCEPT.replaceAll('+', '\\+')}\r$`, 'm'))
      assert.match(head, /^Sec-WebSocket-Extensions: permessage-deflate/m)
    },
  )
})
