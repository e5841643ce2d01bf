// `server.connections` shows which connections there are, and lets no program change that: the limits, the drain and the end
// of the server go by this set. Types forbid it anyway; JavaScript has none.
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { upgradeRequest } from '../support/httpRequests.js'
import { servingAll } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

let port = 0

const server = servingAll({ closeTimeout: 300, message: () => undefined }, () => {
  port = server.address?.port ?? 0
})

async function opened(): Promise<SocketClient> {
  const client = await SocketClient.open(port)
  client.write(upgradeRequest())
  await client.response()
  return client
}

describe('the set of connections', () => {
  beforeEach(() => eventually(() => server.connections.size === 0, 'those of the test before have left'))

  test('shows what there is, by each way to read a set', async () => {
    const { connections } = server
    const clients = await Promise.all([opened(), opened()])
    await eventually(() => connections.size === 2, 'both are counted')
    const [first, second] = connections
    assert.ok(first !== undefined && second !== undefined && connections.has(first) && connections.has(second))
    for (const members of [connections.values(), connections.keys()]) assert.deepEqual([...members], [first, second])
    assert.deepEqual(
      [...connections.entries()],
      [
        [first, first],
        [second, second],
      ],
    )
    const calls: unknown[][] = []
    const receiver = {}
    connections.forEach(function (this: unknown, ...args) {
      calls.push([this, ...args])
    }, receiver)
    assert.deepEqual(
      calls.map(([self, member, same, set]) => [self === receiver, member === same, set === connections]),
      [
        [true, true, true],
        [true, true, true],
      ],
    )
    assert.match(inspect(connections), /^Set\(2\) \{/)
    for (const connection of connections) connection.terminate()
    await eventually(() => connections.size === 0 && !connections.has(first), 'both have left')
    await Promise.all(clients.map((client) => client.destroy()))
  })

  test('is one object, and a program can change neither it nor what the server counts', async () => {
    const client = await opened()
    const { connections } = server
    assert.equal(server.connections, connections)
    const [connection] = connections
    for (const change of ['add', 'delete', 'clear'] as const) {
      assert.equal(Reflect.get(connections, change), undefined)
      assert.throws(() => Reflect.apply(Set.prototype[change], connections, [connection]), TypeError)
    }
    assert.ok(Object.isFrozen(connections))
    assert.equal(Reflect.set(server, 'connections', new Set()), false)
    let given: unknown
    connections.forEach((_, __, set) => {
      given = set
    })
    assert.equal(given, connections)
    assert.equal(connections.size, 1)
    connection?.terminate()
    await client.destroy()
  })
})
