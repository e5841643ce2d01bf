// The client's topics over real connections: they are subscribed again when a connection is lost, and each publication is
// handed over once and in order, or what is missing is told. The same programs are run on the client for browsers.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { connectTopics, type ReceivedPublication, type TopicGap, WebSocket } from '../../src/client.js'
import { createServer, type Server, type ServerOptions, serveTopics } from '../../src/index.js'
import { Program } from '../examples/program.js'
import { delay, eventually } from '../support/socketClient.js'

const options = { timeout: 20_000 }

/** A client of either kind, as the tests need it. */
interface Client {
  readonly got: ReceivedPublication[]
  readonly gaps: Omit<TopicGap, 'missed'>[]
  subscribe(topic: string, after?: string): unknown
  unsubscribe(topic: string): unknown
  close(): unknown
}

type Start = (url: string) => Promise<Client>

const ours: Start = async (url) => {
  const [got, gaps]: [ReceivedPublication[], TopicGap[]] = [[], []]
  const client = await connectTopics(url, {
    reconnect: { delay: 20, maxDelay: 100 },
    publication: (publication) => got.push(publication),
    gap: (gap) => gaps.push(gap),
  })
  return {
    got,
    gaps,
    subscribe: (topic, after) => client.subscribe(topic, { after }),
    unsubscribe: (topic) => client.unsubscribe(topic),
    close: () => client.close(),
  }
}

/** The example for browsers, whose WebSocket is the one of their shape here. */
const browsers: Start = async (url) => {
  Object.assign(globalThis, { WebSocket })
  const example = new URL('../../../examples/topics/topics.js', import.meta.url).href
  const { Topics } = await import(example)
  const [got, gaps]: [ReceivedPublication[], TopicGap[]] = [[], []]
  const topics = new Topics(url, {
    publication: (publication: ReceivedPublication) => got.push(publication),
    gap: (gap: TopicGap) => gaps.push(gap),
  })
  return Object.assign(topics, { got, gaps })
}

const open = new Set<Server>()
const clients = new Set<Client>()
after(async () => {
  for (const client of clients) client.close()
  await Promise.all([...open].map((server) => server.close()))
})

async function serve(port = 0, more: ServerOptions = {}): Promise<Server> {
  const server = createServer({
    topics: { history: (topic) => (topic === 'plain' ? undefined : { messages: 50 }), envelope: true },
    message: (connection, message) => {
      if (!serveTopics(connection, message, (topic) => topic !== 'secret')) connection.send('no request')
    },
    ...more,
  })
  open.add(server)
  return server.listen({ port, host: '127.0.0.1' })
}

function cut(server: Server): void {
  for (const connection of server.connections) connection.terminate()
}

const texts = ({ got }: Client, topic = 'news'): string[] =>
  got
    .filter((one) => one.topic === topic)
    .map(({ data }) => (typeof data === 'string' ? data : Buffer.from(data).toString()))

test('the example of a server and its client for browsers work together', options, async () => {
  const program = await Program.start(['examples/topics/server.mjs'])
  try {
    const url = `ws://127.0.0.1:${program.port}`
    const client = await browsers(url)
    clients.add(client)
    client.subscribe('public/chat')
    client.subscribe('private')
    await eventually(() => client.gaps.length === 1, 'one topic is refused')
    const speaker = new WebSocket(url)
    speaker.onopen = () => speaker.send('hello')
    await eventually(() => texts(client, 'public/chat').length === 1, 'it arrives')
    assert.deepEqual(texts(client, 'public/chat'), ['hello'])
    speaker.close()
    client.close()
  } finally {
    await program.kill()
  }
})

for (const [name, kind] of Object.entries({ 'the client': ours, 'the client for browsers': browsers })) {
  const start: Start = async (url) => {
    const client = await kind(url)
    clients.add(client)
    return client
  }

  describe(name, options, () => {
    test('gets text and bytes, and what it missed while its connection was lost, once and in order', async () => {
      const server = await serve()
      const client = await start(`ws://127.0.0.1:${server.port}`)
      client.subscribe('news')
      client.subscribe('more')
      await eventually(() => server.subscriberCount('more') === 1, 'it is subscribed')
      const published: string[] = []
      const publish = (): void => {
        const text = `${published.length}`
        published.push(text)
        server.publish('news', published.length % 2 ? text : Buffer.from(text))
      }
      for (let round = 0; round < 3; round++) {
        for (let at = 0; at < 5; at++) publish()
        if (round > 0) await delay(5)
        cut(server)
        for (let at = 0; at < 5; at++) publish()
        server.publish('more', `${round}`)
        await eventually(() => texts(client).length === published.length, 'what was missed is sent', 10_000)
      }
      publish()
      await eventually(() => texts(client).length === published.length, 'it goes on')
      assert.deepEqual(texts(client), published)
      assert.deepEqual(texts(client, 'more'), ['0', '1', '2'])
      assert.deepEqual(client.gaps, [])
      assert.ok(client.got.some(({ data }) => data instanceof Uint8Array))
      client.close()
      await eventually(() => server.connections.size === 0, 'it is closed for good')
    })

    test('tells a gap: of what was forgotten, of a server that was started again, of a topic without a history', async () => {
      const server = await serve()
      const port = server.port ?? 0
      const client = await start(`ws://127.0.0.1:${port}`)
      client.subscribe('news')
      client.subscribe('plain')
      await eventually(() => server.subscriberCount('plain') === 1, 'it is subscribed')
      server.publish('news', '1')
      await eventually(() => client.got.length === 1, 'it arrives')
      cut(server)
      for (let at = 0; at < 60; at++) server.publish('news', 'lost')
      await eventually(() => client.gaps.length === 2, 'both gaps are told', 10_000)
      assert.deepEqual(client.gaps.map(({ topic, reason }) => `${topic} ${reason}`).toSorted(), [
        'news forgotten',
        'plain no-history',
      ])
      server.publish('news', '2')
      await eventually(() => texts(client).length === 2, 'it goes on')
      await server.close(1012)
      const again = await serve(port)
      await eventually(() => client.gaps.length === 4, 'the gaps are told', 10_000)
      assert.ok(client.gaps.some(({ topic, reason }) => topic === 'news' && reason === 'epoch'))
      again.publish('news', '3')
      await eventually(() => texts(client).length === 3, 'it goes on')
      assert.deepEqual(texts(client), ['1', '2', '3'])
      client.close()
    })

    test('goes on from a position of an earlier program, ends subscriptions, and is told what it may not have', async () => {
      const server = await serve()
      const first = await start(`ws://127.0.0.1:${server.port}`)
      first.subscribe('news')
      await eventually(() => server.subscriberCount('news') === 1, 'it is subscribed')
      server.publish('news', '1')
      await eventually(() => first.got.length === 1, 'it arrives')
      const position = first.got[0]?.position
      first.close()
      await eventually(() => server.connections.size === 0, 'it is gone')
      server.publish('news', '2')
      const second = await start(`ws://127.0.0.1:${server.port}`)
      second.subscribe('news', position)
      second.subscribe('secret')
      await eventually(() => second.got.length === 1 && second.gaps.length === 1, 'both answers come')
      assert.deepEqual(texts(second), ['2'])
      assert.deepEqual([second.gaps[0]?.topic, second.gaps[0]?.reason], ['secret', 'refused'])
      second.unsubscribe('news')
      await eventually(() => server.subscriberCount('news') === 0, 'it is unsubscribed')
      second.close()
    })

    test('a topic that is left and asked for again at once is sent what was asked for', async () => {
      const server = await serve()
      const client = await start(`ws://127.0.0.1:${server.port}`)
      client.subscribe('news')
      await eventually(() => server.subscriberCount('news') === 1, 'it is subscribed')
      for (const text of ['0', '1', '2']) server.publish('news', text)
      await eventually(() => client.got.length === 3, 'they arrive')
      const [first] = client.got.splice(0)
      client.unsubscribe('news')
      client.subscribe('news')
      client.unsubscribe('news')
      client.subscribe('news', first?.position)
      await eventually(() => client.got.length >= 2, 'they arrive again')
      server.publish('news', '3')
      await eventually(() => client.got.length >= 3, 'it goes on')
      assert.deepEqual(texts(client), ['1', '2', '3'])
      assert.deepEqual(client.gaps, [])
      client.close()
    })
  })
}

test('the client is told what has become of each subscription, and of its own messages', options, async () => {
  const server = await serve()
  const others: string[] = []
  const client = await connectTopics(`ws://127.0.0.1:${server.port}`, {
    publication: () => undefined,
    message: (_, message) => void others.push(message.text()),
  })
  const [one, two] = [client.subscribe('news'), client.subscribe('news')]
  assert.equal((await one).resumed, true)
  assert.deepEqual(await two, await one)
  assert.equal((await one).position, client.position('news'))
  const again = await client.subscribe('news')
  assert.ok(!again.resumed)
  assert.equal(again.gap.reason, 'subscribed')
  const refused = await client.subscribe('secret')
  assert.ok(!refused.resumed)
  assert.equal(refused.gap.reason, 'refused')
  assert.deepEqual(client.topics, ['news'])
  client.connection.send('something else')
  client.connection.send('{"subscribe":"x"}')
  client.connection.send('{"subscribe":\n')
  await eventually(() => others.length === 3, 'what is no request is for the application')
  const late = client.subscribe('late')
  client.connection.terminate()
  const ended = await late
  assert.ok(!ended.resumed)
  assert.equal(ended.gap.reason, 'closed')
  const after = await client.subscribe('after')
  assert.equal(after.resumed, false)
})

test('wrong arguments throw at once', options, async () => {
  const wrong: object = {}
  await assert.rejects(connectTopics('ws://127.0.0.1:1', wrong as never), { code: 'ERR_OPTION_MISSING' })
  assert.throws(() => serveTopics(wrong as never, wrong as never, () => true), { code: 'ERR_ARGUMENT_KIND' })
})

test('a promise of an answer lets no client have a topic', options, async () => {
  const errors: unknown[] = []
  const server = await serve(0, {
    message: (connection, message) => {
      serveTopics(connection, message, (async () => Promise.reject(new Error('no'))) as never)
    },
    error: (_, error) => errors.push(error),
  })
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}`)
  socket.onopen = () => socket.send('{"subscribe":"a"}\n')
  await eventually(() => errors.length === 1 && socket.readyState === 3, 'the mistake is told')
  assert.equal((errors[0] as { code?: string }).code, 'ERR_ARGUMENT_KIND')
  assert.equal(server.subscriberCount('a'), 0)
})

test('what was ended before its answer is not answered later', options, async () => {
  const server = await serve()
  const answers: string[] = []
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}`)
  socket.onmessage = ({ data }) => answers.push(String(data))
  const asked = ['{"subscribe":"a"}\n', '{"unsubscribe":"a"}\n', '{"subscribe":"a"}\n', '{"subscribe":"b"}\n']
  socket.onopen = () => asked.forEach((text) => void socket.send(text))
  await eventually(() => answers.some((text) => text.includes('"subscribed":"b"')), 'the last one is answered')
  const kinds = answers.map((text) => text.slice(0, text.indexOf(':') + 4))
  assert.deepEqual(kinds.slice(kinds.indexOf('{"unsubscribed":"a"') + 1), ['{"subscribed":"a"', '{"subscribed":"b"'])
  socket.close()
})

test('a client whose requests are wrong is refused: too many topics, no topic, rubbish', options, async () => {
  const server = await serve(0, { maxSubscriptions: 1 })
  const answers: string[] = []
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}`)
  socket.onmessage = ({ data }) => answers.push(String(data))
  await eventually(() => socket.readyState === 1, 'it is open')
  const ask = async (text: string): Promise<string> => {
    const { length } = answers
    socket.send(text)
    await eventually(() => answers.length > length, 'it is answered')
    return answers.at(-1) ?? ''
  }
  assert.match(await ask('{"subscribe":"a"}\n'), /"subscribed":"a","resumed":true/)
  assert.match(await ask('{"subscribe":"b"}\n'), /"refused":"b","reason":"ERR_MAX_SUBSCRIPTIONS"/)
  assert.match(await ask('{"subscribe":""}\n'), /"refused":"","reason":"not-allowed"/)
  assert.match(await ask('{"subscribe":"a","after":"0.0"}\n'), /"reason":"subscribed"/)
  assert.match(await ask('{"unsubscribe":"a"}\n'), /"unsubscribed":"a"/)
  assert.match(await ask('{"subscribe":"\\ud800"}\n'), /"refused"/)
  for (const text of ['{"subscribe":1}\n', '{"subscribe":"a"}\nmore', '{"subscribe":"a"', '[]\n'])
    assert.equal(await ask(text), 'no request')
  socket.close()
})
