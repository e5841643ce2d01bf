// Listening and closing, seen from the application: what a taken port does, that `connections` is right although
// net.Server counts nothing, and that `close` always comes back, whatever the peers do.
import assert from 'node:assert/strict'
import { connect, createServer as createNetServer, type Server as NetServer } from 'node:net'
import { describe, test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { CLOSE, close, closeStatus, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { eachTest, serving } from '../support/serving.js'
import { delay, eventually, openSockets, SocketClient } from '../support/socketClient.js'

const linux = process.platform === 'linux'
const baseline = linux ? openSockets() : 0

/** Closed after each test, so that one that fails does not keep the process. */

const each = eachTest()

async function listening(closeTimeout = 5000): Promise<{ server: Server; port: number }> {
  const server = await serving(each, { closeTimeout, message: (connection, message) => connection.send(message) })
  return { server, port: server.address?.port ?? 0 }
}

/** A client whose opening handshake is done, in the second lane if `pieces`. */
async function connected(port: number, pieces = false): Promise<SocketClient> {
  const client = await SocketClient.open(port)
  const text = upgradeRequest()
  await client.writePieces(pieces ? [Buffer.from(text.slice(0, 9)), Buffer.from(text.slice(9))] : [Buffer.from(text)])
  await client.response()
  return client
}

function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(true))
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
  })
}

function taken(server: NetServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (typeof address === 'object' && address !== null) resolve(address.port)
      else reject(new Error('no port'))
    })
  })
}

describe('listen', () => {
  test('resolves with the server, whose address tells the port', async () => {
    const server = createServer()
    each.after(() => server.close())
    const addresses = [server.address?.address]
    assert.ok((await server.listen({ host: '127.0.0.1' })) === server)
    addresses.push(server.address?.address)
    assert.equal(await refusesConnections(server.address?.port ?? 0), false)
    await server.close()
    addresses.push(server.address?.address)
    assert.deepEqual(addresses, [undefined, '127.0.0.1', undefined])
  })

  test('a taken port rejects with EADDRINUSE, and another can be tried', async () => {
    const occupant = createNetServer()
    const port = await taken(occupant)
    const server = createServer()
    each.after(() => server.close())
    await assert.rejects(server.listen({ port, host: '127.0.0.1' }), { code: 'EADDRINUSE' })
    await assert.rejects(server.listen({ port, host: '127.0.0.1' }), { code: 'EADDRINUSE' })
    await server.listen({ host: '127.0.0.1' })
    const client = await connected(server.address?.port ?? 0)
    await client.destroy()
    await server.close()
    occupant.close()
  })

  test('a port taken by another of these servers leaves that one alone', async () => {
    const { server, port } = await listening()
    await assert.rejects(createServer().listen({ port, host: '127.0.0.1' }), { code: 'EADDRINUSE' })
    const client = await connected(port)
    client.write(masked(TEXT, 'x'))
    await client.frames(1)
    await client.destroy()
    await server.close()
  })

  test('an impossible port rejects', async () => {
    await assert.rejects(createServer().listen({ port: 65_536 }), { code: 'ERR_SOCKET_BAD_PORT' })
  })

  test('a second time listens on a second address, or rejects, and the first goes on', async () => {
    const { server, port } = await listening()
    await assert.rejects(server.listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' })
    await server.listen({ host: '127.0.0.1' })
    const ports = server.addresses.map((address) => (typeof address === 'string' ? 0 : address.port))
    assert.equal(new Set([port, ...ports]).size, 2)
    for (const one of ports) await (await connected(one)).destroy()
    await server.close()
  })
})

describe('connections', () => {
  test('are counted in both lanes, from the handshake to the end', async () => {
    const { server, port } = await listening()
    const clients = await Promise.all(Array.from({ length: 40 }, (_, at) => connected(port, at % 2 === 1)))
    assert.equal(server.connections.size, 40)
    await SocketClient.open(port).then((client) => client.destroy())
    assert.equal(server.connections.size, 40)
    await Promise.all(clients.slice(0, 10).map((client) => client.destroy()))
    await eventually(() => server.connections.size === 30, 'ten have ended')
    for (const client of clients.slice(10, 20)) client.socket.resetAndDestroy()
    await eventually(() => server.connections.size === 20, 'ten more were reset')
    for (const connection of server.connections) connection.terminate()
    await eventually(() => server.connections.size === 0, 'all were terminated')
    await Promise.all(clients.map((client) => client.destroy()))
    await server.close()
  })
})

describe('close', () => {
  test('without having listened resolves', async () => createServer().close())

  test('without connections resolves, and frees the port', async () => {
    const { server, port } = await listening()
    await server.close()
    assert.equal(await refusesConnections(port), true)
  })

  test('tells every peer, and resolves when they have answered', async () => {
    const { server, port } = await listening()
    const clients = await Promise.all([connected(port), connected(port, true)])
    let resolved = false
    const closing = server.close(1012, 'restart').then(() => {
      resolved = true
    })
    assert.equal(await refusesConnections(port), true)
    for (const client of clients) {
      const [frame] = await client.frames(1)
      assert.equal(frame?.opcode, CLOSE)
      assert.deepEqual(closeStatus(frame), { code: 1012, reason: 'restart' })
    }
    assert.equal(resolved, false)
    for (const client of clients) {
      client.write(close(1012))
      client.socket.end()
    }
    await closing
    assert.equal(server.connections.size, 0)
    await Promise.all(clients.map((client) => client.destroy()))
  })

  test('resolves although peers do nothing, when the close timeout is over', async () => {
    const { server, port } = await listening(300)
    const clients = await Promise.all([connected(port), connected(port, true), SocketClient.open(port)])
    const halfway = await SocketClient.open(port)
    halfway.write('GET /')
    await delay(30)
    await server.close()
    assert.equal(server.connections.size, 0)
    if (linux) await eventually(() => openSockets() === baseline + 4, "only the clients' descriptors are open")
    await Promise.all([...clients, halfway].map((client) => client.destroy()))
  })

  test('resolves for everyone who asked', async () => {
    const { server, port } = await listening(300)
    const client = await connected(port)
    const late = delay(3000).then(() => 'never')
    assert.equal(await Promise.race([Promise.all([server.close(), server.close()]).then(() => 'both'), late]), 'both')
    await client.destroy()
  })

  test('takes only what may be sent', async () => {
    const { server, port } = await listening(300)
    const client = await connected(port)
    await assert.rejects(server.close(1006), RangeError)
    await client.destroy()
    await server.close()
  })
})

test('limits that are no whole numbers are refused when the server is made', () => {
  for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '10', null, {}, true, 10n]) {
    for (const name of ['maxMessage', 'handshakeTimeout', 'closeTimeout', 'outputLimit', 'payloadMemory']) {
      const kind = typeof value === 'number' ? 'RangeError' : 'TypeError'
      assert.throws(() => createServer({ [name]: value }), { name: kind, message: new RegExp(name) })
    }
  }
  for (const value of [0, 1, 3 * 2 ** 30, Number.MAX_SAFE_INTEGER])
    createServer({ maxMessage: value, outputLimit: value })
})
