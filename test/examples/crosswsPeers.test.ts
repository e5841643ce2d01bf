// The adapter of crossws: what crossws's own suite asks of an adapter.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { WsClient } from '../clients/wsClient.js'
import { ecosystemMissing } from '../support/ecosystem.js'
import { eventually } from '../support/socketClient.js'
import { UserProject } from '../support/userProject.js'
import { type Hooks, type Peer, type Serving, serve } from './crosswsAdapter.js'

describe("examples/crossws, as crossws's own suite asks it", { skip: ecosystemMissing() }, () => {
  let project: UserProject
  const told: unknown[] = []
  let serving: Serving

  const hooks: Hooks = {
    upgrade: (request) => ({
      context: { test: '1' },
      headers:
        request.headers.get('sec-websocket-protocol') === 'supported' ? { 'sec-websocket-protocol': 'supported' } : {},
      ...(request.url.includes('deflate') && {
        perMessageDeflate: { serverNoContextTakeover: true, threshold: 1000 },
      }),
    }),
    open(peer) {
      peer.send(`Welcome to the server ${peer}! (namespace: ${peer.namespace})`)
      peer.subscribe('chat')
      peer.publish('chat', `${peer} joined!`)
    },
    message(peer, message) {
      const text = message.text()
      if (text === 'debug') return peer.send(debug(peer))
      if (text === 'peers') return peer.send({ peers: [...peer.peers].map(({ id }) => id) })
      if (text === 'leave') return peer.unsubscribe('chat')
      if (text === 'long') return peer.subscribe('x'.repeat(300))
      if (text === 'ping') return peer.ping('time')
      if (text === 'ping too long') return peer.ping('x'.repeat(126))
      if (text === 'big') return peer.send('x'.repeat(65_536))
      peer.send(text)
      return peer.publish('chat', text)
    },
    ping: (_, data) => told.push(`from the client: ${Buffer.from(data)}`),
    pong: (_, data) => told.push(Buffer.from(data).toString()),
    error: (_, error) => told.push(error.message),
  }

  before(async () => {
    project = new UserProject('crossws')
    serving = await serve(project, { hooks })
  })
  after(async () => {
    await serving.end()
    project.remove()
  })

  const join = async (path = '/', options?: ClientOptions): Promise<WsClient> => {
    const client = await WsClient.open(`ws://127.0.0.1:${serving.port}${path}`, options)
    assert.match(String(await client.messages.next()), /^Welcome to the server [\w-]{36}! \(namespace: \/\w*\)$/)
    return client
  }
  const json = async (client: WsClient): Promise<ReturnType<typeof debug> & { peers: string[] }> =>
    JSON.parse(String(await client.messages.next()))

  test('messages and publications reach everybody else in the namespace, and nobody in another', async () => {
    const one = await join()
    const two = await join()
    const elsewhere = await join('/elsewhere')
    assert.match(String(await one.messages.next()), / joined!$/)
    one.socket.send('hello from 1')
    assert.equal(await one.messages.next(), 'hello from 1')
    assert.equal(await two.messages.next(), 'hello from 1')
    serving.adapter.publish('chat', { to: 'all' })
    for (const client of [one, two, elsewhere]) assert.equal(await client.messages.next(), '{"to":"all"}')
    serving.adapter.publish('chat', new Uint8Array([1, 2]), { namespace: '/elsewhere' })
    assert.deepEqual(await elsewhere.messages.next(), Buffer.from([1, 2]))
    two.socket.send('leave')
    two.socket.send('still heard')
    assert.equal(await two.messages.next(), 'still heard')
    assert.equal(await one.messages.next(), 'still heard')
    one.socket.send('alone')
    assert.equal(await one.messages.next(), 'alone')
    await Promise.all([one, two, elsewhere].map((client) => client.close()))
    assert.equal(two.messages.left + elsewhere.messages.left, 0)
  })

  test('topics may be longer than those of millrace', async () => {
    const client = await join()
    client.socket.send('long')
    await eventually(
      () => [...(serving.adapter.peers.get('/') ?? [])].some(({ topics }) => topics.size === 2),
      'joined',
    )
    serving.adapter.publish('x'.repeat(300), 'long')
    assert.equal(await client.messages.next(), 'long')
    await client.close()
  })

  test('a peer has its request, its context, its address and its socket', async () => {
    const options = { headers: { 'x-test': '1', 'sec-websocket-protocol': 'crossws' } }
    const socket = new WebSocket(`ws://127.0.0.1:${serving.port}/?foo=bar`, options)
    socket.on('open', () => socket.send('debug'))
    const messages: string[] = []
    socket.on('message', (data) => messages.push(String(data)))
    socket.on('error', () => undefined) // the client has offered no subprotocol that it knows of
    await eventually(() => messages.length === 2, 'the facts')
    const facts: ReturnType<typeof debug> = JSON.parse(messages[1] ?? '')
    assert.equal(facts.url, `http://127.0.0.1:${serving.port}/?foo=bar`)
    assert.equal(facts.headers['x-test'], '1')
    assert.match(facts.headers['connection'] ?? '', /^upgrade$/i)
    assert.equal(facts.remoteAddress, '127.0.0.1')
    assert.deepEqual(facts.context, { test: '1' })
    assert.deepEqual(facts.websocket, {
      readyState: 1,
      protocol: 'crossws',
      extensions: 'permessage-deflate; client_max_window_bits',
      url: `ws://127.0.0.1:${serving.port}/?foo=bar`,
    })
    socket.terminate()
  })

  test('a subprotocol is negotiated, or it is not', async () => {
    for (const [offered, agreed] of [
      ['supported', 'supported'],
      ['unsupported', undefined],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${serving.port}/`, {
        headers: { 'sec-websocket-protocol': offered },
      })
      socket.on('error', () => undefined)
      const [response] = await once(socket, 'upgrade')
      assert.equal(response.headers['sec-websocket-protocol'], agreed)
      socket.terminate()
    }
  })

  test('peers are listed by the adapter and by each peer, and forgotten when they leave', async () => {
    await eventually(() => serving.adapter.peers.get('/')?.size === 0, 'nobody is left')
    const [one, two] = [await join('/room'), await join('/room')]
    await one.messages.next()
    one.socket.send('peers')
    two.socket.send('peers')
    const { peers } = await json(one)
    assert.equal(peers.length, 2)
    assert.deepEqual((await json(two)).peers, peers)
    assert.deepEqual(
      [...(serving.adapter.peers.get('/room') ?? [])].map(({ id }) => id),
      peers,
    )
    await Promise.all([one.close(), two.close()])
    await eventually(() => serving.adapter.peers.get('/room')?.size === 0, 'nobody is left')
  })

  test('pings go out with their payload, and too long ones to the hook error', async () => {
    told.length = 0
    const client = await join()
    client.socket.send('ping')
    assert.equal(String(await client.pings.next()), 'time')
    client.socket.send('ping too long')
    await eventually(() => told.length === 2, 'both')
    client.socket.ping('me')
    assert.equal(String(await client.pongs.next()), 'me')
    await eventually(() => told.length === 3, 'the ping')
    assert.equal(told.pop(), 'from the client: me')
    assert.equal(told[0], 'time')
    assert.match(String(told[1]), /up to 125 bytes/)
    await client.close()
  })

  test('compression is as the upgrade hook says, for this connection alone', async () => {
    const plain = await join('/')
    assert.equal(plain.socket.extensions, '')
    await plain.close()
    const client = await join('/deflate')
    assert.equal(client.socket.extensions, 'permessage-deflate')
    const socket: { bytesRead: number } = Reflect.get(client.socket, '_socket')
    const before = socket.bytesRead
    client.socket.send('big')
    assert.equal(String(await client.messages.next()).length, 65_536)
    const short = socket.bytesRead - before
    assert.ok(short < 1024, `${short} bytes`)
    client.socket.send('x'.repeat(900)) // below the threshold, which counts without context takeover
    assert.equal(String(await client.messages.next()).length, 900)
    assert.ok(socket.bytesRead - before - short > 900)
    await client.close()
  })

  test('closeAll says Close to all, or cuts them off', async () => {
    const closing = await join()
    serving.adapter.closeAll(4002, 'over')
    assert.deepEqual(await closing.ended, { code: 4002, reason: 'over' })
    const cut = await join()
    const [peer] = serving.adapter.peers.get('/') ?? []
    serving.adapter.closeAll(undefined, undefined, true)
    assert.equal(peer?.websocket.readyState, 2)
    assert.equal((await cut.ended).code, 1006)
    await eventually(() => peer?.websocket.readyState === 3, 'it has ended')
  })
})

function debug({ remoteAddress, context, request, websocket }: Peer) {
  const { readyState, protocol, extensions, url } = websocket
  return {
    remoteAddress,
    context,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    websocket: { readyState, protocol, extensions, url },
  }
}
