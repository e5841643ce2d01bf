// Each path of the target by a real client: what its entry in the table says is what a client meets.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectMillrace } from '../../src/client.js'
import { targetPaths } from '../../src/target/paths.js'
import { refused, targetFor, Visitor } from './visitor.js'

const LONG = 'x'.repeat(100_000)

describe('a path of the target', () => {
  test('/ and /echo send every message back, also to a client of this package', async (t) => {
    const { url } = await targetFor(t)
    for (const path of ['', '/', '/echo']) {
      const visitor = await Visitor.open(t, url + path)
      assert.deepEqual(await visitor.exchange(['a', Buffer.alloc(70_000), LONG], 3), ['a', 'binary 70000', LONG])
    }
    const messages: string[] = []
    const connection = await connectMillrace(`${url}/echo`, {
      message: (_, message) => messages.push(message.text()),
    })
    connection.send('from millrace/client')
    while (messages.length === 0) await sleep(5)
    connection.close()
    assert.deepEqual(messages, ['from millrace/client'])
  })

  test('/sink counts, and answers every n-th message', async (t) => {
    const { url } = await targetFor(t)
    const visitor = await Visitor.open(t, `${url}/sink?every=2`)
    const answers = await visitor.exchange(['a', 'bb', 'ccc', 'dddd', 'e'], 2)
    assert.deepEqual(answers, ['{"messages":2,"bytes":3}', '{"messages":4,"bytes":10}'])
  })

  test('/source numbers its messages, sends as many as were asked for, and closes with 1000', async (t) => {
    const { url } = await targetFor(t)
    const visitor = await Visitor.open(t, `${url}/source?size=32&count=5000&text`)
    const { code, got } = await visitor.ended
    assert.equal(code, 1000)
    assert.deepEqual(
      got.map((message) => Number(message.slice(0, 10))),
      Array.from({ length: 5000 }, (_, number) => number),
    )
    assert.ok(got.every(({ length }) => length === 32))
    const binary = await Visitor.open(t, `${url}/source?size=70000&count=2`)
    assert.deepEqual((await binary.ended).got, ['binary 70000', 'binary 70000'])
  })

  test('/big sends a message of the length that was asked for, and one more for each that comes', async (t) => {
    const { url } = await targetFor(t)
    const visitor = await Visitor.open(t, `${url}/big?size=2MiB`)
    assert.deepEqual(await visitor.exchange(['more'], 2), ['binary 2097152', 'binary 2097152'])
  })

  test('/broadcast and /topics/NAME reach everybody there, and nobody else', async (t) => {
    const { url } = await targetFor(t)
    const open = (path: string): Promise<Visitor> => Visitor.open(t, url + path)
    const [a, b, other, all] = await Promise.all(['/topics/a', '/topics/a', '/topics/b', '/broadcast'].map(open))
    assert.ok(a && b && other && all)
    assert.deepEqual(await a.exchange(['hello'], 1), ['hello'])
    assert.deepEqual(await b.exchange([], 1), ['hello'])
    assert.deepEqual(await all.exchange(['everybody'], 1), ['everybody'])
    assert.deepEqual(await other.exchange(['b'], 1), ['b'])
    assert.equal((await refused(`${url}/topics/${'n'.repeat(256)}`)).status, 414)
  })

  test('/delay answers late, in order, and leaves no timer behind', async (t) => {
    const target = await targetFor(t)
    const visitor = await Visitor.open(t, `${target.url}/delay?ms=60&jitter=50`)
    const began = performance.now()
    const numbers = Array.from({ length: 20 }, (_, number) => String(number))
    assert.deepEqual(await visitor.exchange(numbers, 20), numbers)
    assert.ok(performance.now() - began >= 55)
    const gone = await Visitor.open(t, `${target.url}/delay?ms=5m`)
    gone.socket.send('never answered')
    await sleep(50)
    gone.socket.terminate()
    const closing = performance.now()
    await target.close()
    assert.ok(performance.now() - closing < 3000)
  })

  test('/fragment splits what it sends back, with pings between', async (t) => {
    const { url } = await targetFor(t)
    const visitor = await Visitor.open(t, `${url}/fragment?size=2&ping`)
    assert.deepEqual(await visitor.exchange(['héllo', '', Buffer.alloc(5)], 3), ['héllo', '', 'binary 5'])
    assert.equal(visitor.pings, 4)
  })

  test('/fragment into single bytes does not keep other connections from being served', async (t) => {
    const { url } = await targetFor(t)
    const greedy = await Visitor.open(t, `${url}/fragment?size=1`)
    greedy.socket.send(Buffer.alloc(3000))
    const other = await Visitor.open(t, url)
    assert.deepEqual(await other.exchange(['a'], 1), ['a'])
    assert.equal(greedy.got.length, 0)
    await greedy.until(() => greedy.got.length === 1)
    assert.deepEqual(greedy.got, ['binary 3000'])
  })

  test('/deflate compresses for those who offer it, and only there', async (t) => {
    const { url } = await targetFor(t)
    const visitor = await Visitor.open(t, `${url}/deflate`, [], { perMessageDeflate: true })
    assert.equal(visitor.socket.extensions, 'permessage-deflate')
    assert.deepEqual(await visitor.exchange([LONG], 1), [LONG])
    const plain = await Visitor.open(t, `${url}/echo`, [], { perMessageDeflate: true })
    assert.equal(plain.socket.extensions, '')
  })

  test('/digest and /json work on short messages at once and on long ones in threads, in order', async (t) => {
    const { url } = await targetFor(t)
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
    const digests = await Visitor.open(t, `${url}/digest`)
    assert.deepEqual(await digests.exchange(['abc', LONG, 'end'], 3), ['abc', LONG, 'end'].map(sha256))
    const json = await Visitor.open(t, `${url}/json`)
    const long = `[${'{"a":"b"},'.repeat(10_000)}null]`
    const [first, second] = await json.exchange(['{"a":[1,true,null,"x"]}', long], 2)
    const none = { objects: 0, arrays: 0, strings: 0, numbers: 0, booleans: 0, nulls: 0 }
    assert.deepEqual(JSON.parse(first ?? ''), {
      ...none,
      bytes: 23,
      depth: 3,
      objects: 1,
      arrays: 1,
      strings: 1,
      numbers: 1,
      booleans: 1,
      nulls: 1,
    })
    assert.deepEqual(JSON.parse(second ?? ''), {
      ...none,
      bytes: long.length,
      depth: 3,
      objects: 10_000,
      arrays: 1,
      strings: 10_000,
      nulls: 1,
    })
    const deep = await Visitor.open(t, `${url}/json`)
    const [answer = ''] = await deep.exchange([`${'['.repeat(3000)}${']'.repeat(3000)}`], 1)
    assert.equal(JSON.parse(answer).depth, 3000)
    for (const broken of ['{', `{${LONG}`]) {
      const visitor = await Visitor.open(t, `${url}/json`)
      visitor.socket.send(broken)
      assert.equal((await visitor.ended).code, 1007)
    }
  })

  test('/headers tells what arrived, and hides Cookie and Authorization unless it is asked to show them', async (t) => {
    const headers = { Cookie: 'session=secret', Authorization: 'Bearer secret', 'X-Proxy': 'yes' }
    for (const showSecrets of [false, true]) {
      const { url, httpUrl } = await targetFor(t, { showSecrets })
      const visitor = await Visitor.open(t, `${url}/headers`, ['chat', 'other'], { headers })
      const [text = ''] = await visitor.exchange([], 1)
      const facts = JSON.parse(text)
      assert.equal(facts.headers['x-proxy'], 'yes')
      assert.equal(facts.protocol, 'chat')
      assert.deepEqual(facts.offeredProtocols, ['chat', 'other'])
      assert.equal(facts.remoteAddress, '127.0.0.1')
      assert.equal(text.includes('secret'), showSecrets)
      assert.equal(facts.cookies.session, showSecrets ? 'secret' : '(hidden)')
      const plain = await (await fetch(`${httpUrl}/headers`, { headers })).text()
      assert.equal(plain.includes('secret'), showSecrets)
      assert.equal(JSON.parse(plain).headers['x-proxy'], 'yes')
    }
  })

  test('/subprotocol agrees on one that the client offers, or on none', async (t) => {
    const { url } = await targetFor(t)
    const first = await Visitor.open(t, `${url}/subprotocol`, ['a', 'b'])
    assert.deepEqual([first.socket.protocol, await first.exchange([], 1)], ['a', ['a']])
    const second = await Visitor.open(t, `${url}/subprotocol?choose=b`, ['a', 'b'])
    assert.equal(second.socket.protocol, 'b')
    const none = new Visitor(`${url}/subprotocol?choose=-`, ['a'])
    await none.ended
    assert.match(none.error, /no subprotocol/i)
    assert.equal((await refused(`${url}/subprotocol?choose=c`)).status, 400)
  })

  test('/reject refuses with the status, and /redirect stays on its own origin', async (t) => {
    const { url } = await targetFor(t)
    const { status, body } = await refused(`${url}/reject/418?body=tea`)
    assert.deepEqual([status, body], [418, 'tea\n'])
    for (const wrong of ['200', '101', '600', '4o3', '99999'])
      assert.equal((await refused(`${url}/reject/${wrong}`)).status, 400)
    assert.deepEqual(await refused(`${url}/redirect?to=/sink&status=301`), {
      status: 301,
      body: 'redirected to /sink\n',
      location: '/sink',
    })
    const visitor = await Visitor.open(t, `${url}/redirect?times=3`, [], { followRedirects: true })
    assert.deepEqual(await visitor.exchange(['arrived'], 1), ['arrived'])
    const hidden = ['/.//evil.test', '/a/..//evil.test', '/%252e//evil.test', '/.%5C%5Cevil.test', '/%5C/evil.test']
    for (const elsewhere of ['//evil.test', '/%5Cevil.test', 'ws://evil.test', 'evil', '/a%0d%0ab', '', ...hidden])
      assert.equal((await refused(`${url}/redirect?to=${elsewhere}`)).status, 400, elsewhere)
  })

  test('each entry of the table has an example that its own path accepts', async (t) => {
    const target = await targetFor(t, { allowCorrupt: true })
    for (const { path, example, parameters, route } of targetPaths) {
      if (route === undefined) continue
      const visitor = new Visitor(target.url + example, path === '/subprotocol' ? ['chat'] : [])
      await Promise.race([new Promise((resolve) => visitor.socket.once('open', resolve)), visitor.ended])
      assert.doesNotMatch(visitor.error, /\b4(00|04)\b/, path)
      visitor.socket.terminate()
      if (Object.keys(parameters).length > 0 && !path.includes(':'))
        assert.match((await refused(`${target.url}${path}?nonsense=1`)).body, /has no parameter "nonsense": it has /)
    }
  })
})
