// The types are an API of their own: they are checked when this file is compiled, by functions whose arguments only fit if
// a type is exactly what it is said to be. What must not compile is proven by a condition that is false.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Acceptance,
  type Connection,
  createServer,
  type Message,
  type OwnBytes,
  type Rejection,
  type Route,
  type RouteOptions,
  route,
  type Sendable,
  type SendOptions,
  type SendResult,
  type Server,
  type ServerOptions,
  type Upgrade,
  type UpgradeRequest,
} from '../../src/index.js'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Fits<Value, Target> = [Value] extends [Target] ? true : false

let proofs = 0

/** Compiles only if the condition is true. */
function proven<Condition extends true>(condition?: Condition): void {
  assert.equal(condition, undefined)
  proofs++
}

/** Compiles only if the value is of exactly this type. */
function typed<Expected>(): <Given>(given: Given, ...proof: Same<Given, Expected> extends true ? [] : [never]) => void {
  return () => void proofs++
}

interface User {
  readonly user: string
}

const user = (name: string): User => ({ user: name })

test('data is inferred from what upgrade returns', () => {
  typed<Server<User>>()(createServer({ upgrade: () => ({ data: user('ann') }) }))
  typed<Server<User>>()(createServer({ upgrade: async () => ({ data: user('ann') }) }))
  typed<Server<string>>()(createServer({ upgrade: (request) => ({ data: request.path }) }))
  typed<Server<string>>()(
    createServer({
      upgrade(request) {
        if (request.origin === undefined) return { status: 403, body: 'no' }
        return { data: request.path, headers: { 'Set-Cookie': ['a', 'b'] } }
      },
    }),
  )
  typed<Server<User>>()(
    createServer({
      async upgrade(request) {
        const name = await Promise.resolve(request.query.get('name'))
        if (name === null) return { status: 401 }
        return { data: user(name), protocol: 'chat' }
      },
      open: (connection) => typed<User>()(connection.data),
      message(connection, message) {
        typed<User>()(connection.data)
        typed<Message>()(message)
      },
      drain: (connection) => typed<User>()(connection.data),
      ping: (connection, data) => [typed<User>()(connection.data), typed<OwnBytes>()(data)],
      pong: (connection, data) => [typed<User>()(connection.data), typed<OwnBytes>()(data)],
      close(connection, code, reason) {
        typed<Connection<User>>()(connection)
        typed<number>()(code)
        typed<string>()(reason)
      },
      error: (connection, error) => [typed<User>()(connection.data), typed<unknown>()(error)],
      upgradeFailed: (request, error) => [typed<UpgradeRequest>()(request), typed<unknown>()(error)],
    }),
  )
})

test('also where the handlers stand before it', () => {
  const server = createServer({
    message: (connection) => typed<User>()(connection.data),
    upgrade: () => ({ data: user('ann') }),
  })
  typed<Server<User>>()(server)
  for (const connection of server.connections) typed<User>()(connection.data)
})

test('without data it is undefined', () => {
  typed<Server<undefined>>()(createServer())
  typed<Server<undefined>>()(createServer({}))
  typed<Server<undefined>>()(createServer({ maxMessage: 1 }))
  typed<Server<undefined>>()(createServer({ message: (connection) => typed<undefined>()(connection.data) }))
  typed<Server<undefined>>()(createServer({ upgrade: () => undefined }))
  typed<Server<undefined>>()(createServer({ upgrade: async () => undefined }))
  typed<Server<undefined>>()(createServer({ upgrade: () => ({}) }))
  typed<Server<undefined>>()(createServer({ upgrade: () => ({ protocol: 'chat' }) }))
  typed<Server<undefined>>()(createServer({ upgrade: () => ({ status: 403 }) }))
  typed<Server<undefined>>()(createServer({ upgrade: () => Promise.reject(new Error('no')) }))
  typed<Server<undefined>>()(createServer({ upgrade: () => {} }))
  typed<Server<undefined>>()(createServer({ upgrade: async () => {} }))
  typed<Server<undefined>>()(
    createServer({
      upgrade(request) {
        if (request.origin === undefined) return { status: 403 }
        return undefined
      },
    }),
  )
  typed<Server<undefined>>()(
    createServer({
      async upgrade(request) {
        if (request.origin === undefined) return { status: 403 }
        return {}
      },
      open: (connection) => typed<undefined>()(connection.data),
    }),
  )
})

test('data that must be there needs an upgrade that gives it', () => {
  proven<Same<Fits<Record<never, never>, ServerOptions<User>>, false>>()
  proven<Same<Fits<{ readonly maxMessage: number }, ServerOptions<User>>, false>>()
  proven<Same<Fits<{ message(connection: Connection<User>): void }, ServerOptions<User>>, false>>()
  proven<Same<Fits<{ upgrade(): undefined }, ServerOptions<User>>, false>>()
  proven<Same<Fits<{ upgrade(): Promise<undefined> }, ServerOptions<User>>, false>>()
  proven<Same<Fits<{ upgrade(): Record<never, never> }, ServerOptions<User>>, false>>()
  proven<Same<Fits<{ upgrade(): { data: number } }, ServerOptions<User>>, false>>()
  proven<Same<Fits<{ upgrade(): Promise<{ data: User } | undefined> }, ServerOptions<User>>, false>>()
  proven<Fits<{ upgrade(): { data: User } }, ServerOptions<User>>>()
  proven<Fits<{ upgrade(): Promise<{ data: User } | { status: number }> }, ServerOptions<User>>>()
  // And data that may be undefined does not.
  proven<Fits<Record<never, never>, ServerOptions<User | undefined>>>()
  proven<Fits<{ upgrade(): undefined }, ServerOptions<User | undefined>>>()
  proven<Fits<{ upgrade(): { data: User } }, ServerOptions<User | undefined>>>()
  proven<Fits<Record<never, never>, ServerOptions<unknown>>>()
  typed<Server<User | undefined>>()(createServer<User | undefined>({}))
})

test('what is no answer does not fit', () => {
  type Any = Upgrade<unknown>
  proven<Same<Fits<() => boolean, Any>, false>>()
  proven<Same<Fits<() => string, Any>, false>>()
  proven<Same<Fits<() => { status: string }, Any>, false>>()
  proven<Same<Fits<() => { headers: { X: number } }, Any>, false>>()
  proven<Same<Fits<() => { protocol: string[] }, Any>, false>>()
  proven<Same<Fits<() => { status: 404; body: Uint8Array }, Any>, false>>()
  proven<Fits<() => Rejection, Any>>()
  proven<Fits<() => Acceptance<User>, Any>>()
  proven<Fits<() => PromiseLike<Rejection | Acceptance<User>>, Any>>()
  proven<Same<Acceptance<User>['data'], User>>()
  proven<Same<Fits<Record<never, never>, Acceptance<User>>, false>>()
  proven<Fits<Record<never, never>, Acceptance<undefined>>>()
})

test('routes have data of their own', () => {
  const rooms = route({
    upgrade: (request) => ({ data: { room: request.params['room'] ?? '' } }),
    message: (connection) => typed<{ room: string }>()(connection.data),
  })
  typed<Route>()(rooms)
  typed<Route>()(route<User>({ upgrade: async () => ({ data: user('ann') }) }))
  typed<Route>()(route({ open: (connection) => typed<undefined>()(connection.data) }))
  proven<Same<Fits<Record<never, never>, RouteOptions<User>>, false>>()
  proven<Same<Fits<{ open(connection: Connection<User>): void }, RouteOptions<User>>, false>>()
  // Whatever a server can be told as a whole is no matter of a route.
  proven<Same<'maxConnections' extends keyof RouteOptions<undefined> ? true : false, false>>()
  proven<Same<'routes' extends keyof RouteOptions<undefined> ? true : false, false>>()
  // A route is made by `route`: its options alone are none.
  proven<Same<Fits<RouteOptions<undefined>, Route>, false>>()
  const server = createServer({ routes: { '/rooms/:room': rooms }, upgrade: () => ({ data: user('ann') }) })
  typed<Server<User>>()(server)
})

test('a connection', () => {
  proven<Same<Connection<User>['data'], User>>()
  proven<Same<ReturnType<Connection['send']>, 'sent' | 'buffered' | 'dropped' | 'closed'>>()
  proven<Same<SendResult, 'sent' | 'buffered' | 'dropped' | 'closed'>>()
  proven<Same<Parameters<Connection['send']>, [data: Sendable, options?: SendOptions | undefined]>>()
  for (const sendable of ['text', Buffer.alloc(1), new Uint8Array(1), new ArrayBuffer(1), new Float32Array(1)]) {
    proven<Fits<typeof sendable, Sendable>>()
  }
  proven<Fits<DataView | SharedArrayBuffer | Message, Sendable>>()
  proven<Same<Fits<number, Sendable>, false>>()
  proven<Same<Fits<object, Sendable>, false>>()
  proven<Same<Fits<undefined, Sendable>, false>>()
  proven<Same<Fits<string[], Sendable>, false>>()
  proven<Same<Connection['remoteAddress'], string | undefined>>()
  proven<Same<ReturnType<Connection['ping']>, Promise<number>>>()
  proven<Same<Connection<User>['request'], UpgradeRequest>>()
  proven<Same<UpgradeRequest['headers'], Readonly<Record<string, string | undefined>>>>()
  proven<Same<UpgradeRequest['query'], URLSearchParams>>()
})

test('the proofs were there', () => {
  assert.ok(proofs > 60, `${proofs} proofs`)
})
