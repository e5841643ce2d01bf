// A path decides whose handlers a connection gets, so a path that is read in two ways lets somebody in by the wrong door.
// First the table by itself, then routes on the wire, in every lane.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createServer } from '../../src/index.js'
import { Routes } from '../../src/server/admission/routes.js'
import { type Route, route } from '../../src/server/options.js'
import { inEveryLane, type Trial } from '../support/everyLane.js'
import { BINARY, closeStatus, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'

/** The pattern that a path finds, and its parameters; undefined if none. */
function find(path: string, ...patterns: readonly string[]): [string, Record<string, string>] | undefined {
  const match = new Routes(Object.fromEntries(patterns.map((pattern) => [pattern, pattern]))).find(path)
  return match === undefined ? undefined : [match.value, { ...match.params }]
}

describe('a path finds', () => {
  const rows: [path: string, patterns: string[], found: ReturnType<typeof find>][] = [
    ['/chat', ['/chat'], ['/chat', {}]],
    ['/', ['/'], ['/', {}]],
    ['/chat/', ['/chat'], undefined],
    ['/Chat', ['/chat'], undefined],
    ['//chat', ['/chat'], undefined],
    ['/ch%61t', ['/chat'], undefined],
    ['/rooms/a', ['/rooms/:room'], ['/rooms/:room', { room: 'a' }]],
    ['/rooms/a%20b%2Fc%C3%A9', ['/rooms/:room'], ['/rooms/:room', { room: 'a b/c\u00e9' }]],
    ['/rooms/', ['/rooms/:room'], undefined],
    ['/rooms', ['/rooms/:room'], undefined],
    ['/rooms/a/b', ['/rooms/:room'], undefined],
    ['/rooms/%zz', ['/rooms/:room'], undefined],
    ['/rooms/%', ['/rooms/:room'], undefined],
    ['/rooms/%ff', ['/rooms/:room'], undefined],
    ['/rooms/%zz', ['/rooms/:room', '/rooms/*'], ['/rooms/*', { '*': '%zz' }]],
    ['/a/x/b/y', ['/a/:one/b/:two'], ['/a/:one/b/:two', { one: 'x', two: 'y' }]],
    ['/a/x/c/y', ['/a/:one/b/:two'], undefined],
    ['/files/a/b', ['/files/*'], ['/files/*', { '*': 'a/b' }]],
    ['/files/', ['/files/*'], ['/files/*', { '*': '' }]],
    ['/files', ['/files/*'], undefined],
    ['/filesystem', ['/files/*'], undefined],
    ['/files/a%2fb', ['/files/*'], ['/files/*', { '*': 'a%2fb' }]],
    ['/u/ann/x/y', ['/u/:user/*'], ['/u/:user/*', { user: 'ann', '*': 'x/y' }]],
    ['/anything', ['/*'], ['/*', { '*': 'anything' }]],
    ['/', ['/*'], ['/*', { '*': '' }]],
    // Exact ones first, then in order.
    ['/rooms/a', ['/*', '/rooms/:room', '/rooms/a'], ['/rooms/a', {}]],
    ['/rooms/b', ['/*', '/rooms/:room', '/rooms/a'], ['/*', { '*': 'rooms/b' }]],
    ['/rooms/b', ['/rooms/:room', '/*', '/rooms/a'], ['/rooms/:room', { room: 'b' }]],
    // Names that every object knows.
    ['/__proto__', ['/chat'], undefined],
    ['/constructor', ['/chat'], undefined],
    ['/__proto__', ['/__proto__'], ['/__proto__', {}]],
    ['', ['/', '/*'], undefined],
    ['*', ['/*'], undefined],
  ]
  for (const [path, patterns, found] of rows) {
    test(`${path} in ${patterns.join(', ')}: ${found?.[0] ?? 'nothing'}`, () =>
      assert.deepEqual(find(path, ...patterns), found))
  }

  test('a parameter may be named like anything, and its object inherits nothing', () => {
    const match = new Routes({ '/:__proto__/:constructor': 1 }).find('/a/b')
    assert.equal(Object.getPrototypeOf(match?.params), null)
    assert.deepEqual(Object.entries(match?.params ?? {}), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    assert.equal(Object.getPrototypeOf(new Routes({ '/a': 1 }).find('/a')?.params), null)
  })

  test('in linear time, however many segments', () => {
    const routes = new Routes(Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`/${at}/:a/:b/*`, at])))
    const begin = performance.now()
    for (let count = 0; count < 20; count++) routes.find('/x'.repeat(100_000))
    assert.ok(performance.now() - begin < 3000)
  })
})

describe('a wrong pattern is a TypeError', () => {
  const wrong = ['', 'chat', '*', '/a?b', '/a#b', '/a b', '/caf\xe9', '/a\n', '/a*', '/*/a', '/a/*b', '/**']
  for (const pattern of [...wrong, '/:', '/a/:/b', '/:a/:a', '/:*', 'http://x/', '/a/*/*', '__proto__x']) {
    test(JSON.stringify(pattern), () => {
      assert.throws(() => createServer({ routes: { [pattern]: route({}) } }), { name: 'TypeError', message: /route/ })
    })
  }

  test('and so is a route that `route` did not make', () => {
    const routes: unknown = { '/a': { open: () => undefined } }
    assert.throws(() => createServer({ routes: routes as Record<string, Route> }), {
      name: 'TypeError',
      message: /route/,
    })
  })
})

/** What a server answers on a path, after the handshake if there is one: `status`, or what the handlers say. */
async function ask(trial: Trial, path: string): Promise<string> {
  const client = await trial.send(upgradeRequest({}, `GET ${path} HTTP/1.1`), masked(TEXT, 'hi'))
  const { status } = await client.response()
  if (status !== 101) return String(status)
  const [frame] = await client.frames(1)
  await client.destroy()
  return frame?.payload.toString() ?? ''
}

const routes = {
  '/chat': route({ message: (connection, message) => connection.send(`chat ${connection.data} ${message.text()}`) }),
  '/rooms/:room': route<number>({
    upgrade: async ({ params: { room = '' } }) => (room === 'secret' ? { status: 403 } : { data: room.length }),
    message: (connection, message) =>
      connection.send(`${connection.request.params['room']} ${connection.data} ${message.text()}`),
  }),
  '/files/*': route<{ path: string }>({
    upgrade: ({ params }) => ({ data: { path: params['*'] ?? '' } }),
    message: (connection) => connection.send(connection.data.path),
  }),
}

describe('on the wire', () => {
  inEveryLane('each path gets its own handlers and data; others 404', async (trial) => {
    await trial.serve({ routes })
    assert.equal(await ask(trial, '/chat'), 'chat undefined hi')
    assert.equal(await ask(trial, '/chat?/rooms/a'), 'chat undefined hi')
    assert.equal(await ask(trial, '/rooms/a%20b'), 'a b 3 hi')
    assert.equal(await ask(trial, '/rooms/secret'), '403')
    assert.equal(await ask(trial, '/files/x/y'), 'x/y')
    for (const path of ['/', '/nowhere', '/rooms/%zz', '/__proto__', '/constructor', '/chat/', '/chat#']) {
      assert.equal(await ask(trial, path), '404', path)
    }
  })

  inEveryLane("fall through to the server's own handlers", async (trial) => {
    await trial.serve<string>({
      routes,
      upgrade: (request) => ({ data: request.path }),
      message: (connection) => connection.send(`rest ${connection.data}`),
    })
    assert.equal(await ask(trial, '/chat'), 'chat undefined hi')
    assert.equal(await ask(trial, '/__proto__?x'), 'rest /__proto__')
    assert.equal(await ask(trial, '/rooms/%zz'), 'rest /rooms/%zz')
  })

  inEveryLane('limits of a route override those of the server, which are for all others', async (trial) => {
    const error = (): undefined => undefined
    await trial.serve({
      maxMessage: 10,
      routes: {
        '/more': route({ maxMessage: 20, error }),
        '/same': route({ error }),
        '/none': route({ maxMessage: 0, error }),
      },
    })
    for (const [path, most] of [
      ['/more', 20],
      ['/same', 10],
      ['/none', 0],
    ] as const) {
      const client = await trial.send(upgradeRequest({}, `GET ${path} HTTP/1.1`), masked(BINARY, Buffer.alloc(most)))
      client.write(masked(BINARY, Buffer.alloc(most + 1)))
      const status = closeStatus((await client.frames(1)).at(-1))
      assert.equal(status?.code, 1009, path)
      assert.match(status?.reason ?? '', new RegExp(`maxMessage is ${most} bytes`))
    }
  })
})

test('limits of a route are checked when the server is made', () => {
  assert.throws(() => createServer({ routes: { '/a': route({ maxMessage: -1 }) } }), RangeError)
  assert.throws(() => createServer({ routes: { '/a': route({ outputPolicy: 'x' as 'pause' }) } }), TypeError)
})
