// What the application is given has the members that its type has, and no other: what lies behind a connection, a message
// or a server is within reach of no program, not even of one without types.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { after, describe, test } from 'node:test'
import { createServer, prepare, route } from '../../src/index.js'
import { LargeMessage } from '../../src/pool/largeMessage.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import {
  connectionMembers,
  connectionsMembers,
  largeMembers,
  loopMembers,
  messageMembers,
  preparedMembers,
  requestMembers,
  routeMembers,
  serverMembers,
  streamMembers,
} from '../support/publicMembers.js'
import { SocketClient } from '../support/socketClient.js'

/** Every property that an object has, itself or by its prototypes, but for what all objects have. */
function reachable(object: object): (string | symbol)[] {
  const names: (string | symbol)[] = []
  for (let at: object | null = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    names.push(...Reflect.ownKeys(at).filter((name) => name !== 'constructor'))
  }
  return names
}

/** Every property that the classes of an object have, but for what all functions have. */
function ofItsClasses(object: object): (string | symbol)[] {
  const names: (string | symbol)[] = []
  for (let at: unknown = object.constructor; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    if (at === Function.prototype) break
    names.push(...Reflect.ownKeys(at).filter((name) => !['length', 'name', 'prototype'].includes(String(name))))
  }
  return names
}

function sorted(names: readonly (string | symbol)[]): string[] {
  return names.map(String).toSorted()
}

const given: { [kind: string]: object } = {}
const news = prepare('news')
const way = route({ message: () => undefined })
const server = createServer({
  idleTimeout: 5000,
  streamThreshold: 1000,
  upgrade(request) {
    given['upgrade is given a request'] = request
    return {}
  },
  open(connection) {
    given['open is given a connection'] = connection
    given['a connection has a request'] = connection.request
  },
  message(connection, message) {
    given['message is given a connection'] = connection
    given['message is given a message'] = message
  },
  stream(connection, message) {
    given['stream is given a connection'] = connection
    given['stream is given a stream'] = message
    given['messages() is a loop'] = connection.messages()
    message.return() // or nothing more would be read
  },
  error(connection) {
    given['error is given a connection'] = connection
  },
  close(connection) {
    given['close is given a connection'] = connection
  },
})

await server.listen({ host: '127.0.0.1' })
const client = await SocketClient.open(server.address?.port ?? 0)
client.write(upgradeRequest())
await client.response()
const [connection] = server.connections
if (connection !== undefined) given['server.connections has connections'] = connection
client.write(Buffer.concat([masked(TEXT, 'short'), masked(BINARY, Buffer.alloc(5000)), Buffer.of(0xff, 0xff)]))
for (let wait = 0; wait < 500 && given['close is given a connection'] === undefined; wait++) {
  await new Promise((resolve) => setTimeout(resolve, 5))
  if (given['error is given a connection'] !== undefined) await client.destroy()
}

after(() => server.close())

const LARGE = new LargeMessage(new SharedArrayBuffer(8), 0, 8, false)

for (const [kind, members, find] of [
  ['open is given a connection', connectionMembers],
  ['message is given a connection', connectionMembers],
  ['stream is given a connection', connectionMembers],
  ['error is given a connection', connectionMembers],
  ['close is given a connection', connectionMembers],
  ['server.connections has connections', connectionMembers],
  ['message is given a message', messageMembers],
  ['stream is given a stream', streamMembers],
  ['messages() is a loop', loopMembers],
  ['upgrade is given a request', requestMembers],
  ['a connection has a request', requestMembers],
  ['createServer makes a server', serverMembers, server],
  ['server.connections is a set', connectionsMembers, server.connections],
  ['prepare makes a prepared message', preparedMembers, news],
  ['route makes a route', routeMembers, way],
  ["the pool's module is given a large message", largeMembers, LARGE],
] as const) {
  describe(kind, () => {
    const object = (): object => {
      const found: object | undefined = find ?? given[kind]
      assert.ok(found !== undefined, 'the handler was called')
      return found
    }

    test('it has the members of its type, and no other', () => {
      assert.deepEqual(sorted(reachable(object())), sorted(Reflect.ownKeys(members)))
    })

    test('its class has none', () => {
      assert.deepEqual(ofItsClasses(object()), [])
    })
  })
}
