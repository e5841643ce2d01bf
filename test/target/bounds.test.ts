// What a visitor may ask of a target is bounded, what is asked for is kept exactly, and what is not asked for by its
// operator does not answer beyond this machine.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isLoopback } from '../../src/target/loopback.js'
import { startTarget } from '../../src/target/target.js'
import { effort } from '../support/effort.js'
import { refused, targetFor, Visitor } from './visitor.js'

describe('what a visitor asks for', () => {
  test('wrong parameters get 400 with a sentence that names the parameter and its bounds', async (t) => {
    const { url } = await targetFor(t, { bounds: { size: 1024, rate: 50, count: 100, time: 2000 } })
    const cases: readonly (readonly [target: string, sentence: RegExp])[] = [
      ['/source?size=1025', /^the parameter size of \/source must be a size .* from 0 to 1KiB, not "1025"\n$/],
      ['/source?size=-1', /the parameter size/],
      ['/source?size=much', /the parameter size/],
      ['/source?rate=0', /the parameter rate of \/source must be a whole number from 1 to 50, not "0"/],
      ['/source?rate=51', /the parameter rate/],
      ['/source?rate=1.5', /the parameter rate/],
      ['/source?count=101', /the parameter count of \/source must be a whole number from 1 to 100/],
      ['/source?rate=5&rate=6', /the parameter rate of \/source must be given once/],
      ['/source?text=perhaps', /the parameter text of \/source must be empty, true or false/],
      ['/delay?ms=2001', /the parameter ms of \/delay must be a time such as 50ms or 2s, from 0 to 2s/],
      ['/delay?jitter=1h', /the parameter jitter/],
      ['/close?code=1005', /the parameter code of \/close must be a close code that may travel/],
      ['/close?code=999', /the parameter code/],
      [`/close?reason=${'r'.repeat(124)}`, /the parameter reason of \/close must be a text of at most 123 bytes/],
      ['/fragment?size=0', /the parameter size of \/fragment must be a size .* from 1 to 1KiB/],
      ['/slow?bytes=0', /the parameter bytes/],
      ['/flood?kind=water', /the parameter kind of \/flood must be one of message, ping, fragment, not "water"/],
      ['/sink?__proto__=1', /\/sink has no parameter "__proto__": it has every/],
      [`/sink?${'n'.repeat(500)}`, /no parameter "n{40}"\.\.\.: it has every/],
    ]
    for (const [target, sentence] of cases) {
      const { status, body } = await refused(url + target)
      assert.equal(status, 400, target)
      assert.match(body, sentence)
    }
  })

  test('only so many connections are pushed to at once, and a place is free again when one has left', async (t) => {
    const target = await targetFor(t, { bounds: { pushers: 2 } })
    const [first] = await Promise.all([0, 1].map(() => Visitor.open(t, `${target.url}/source?rate=1`)))
    assert.equal((await target.statistics()).pushers, 2)
    const { status, body } = await refused(`${target.url}/flood`)
    assert.equal(status, 503)
    assert.equal(body, 'this target pushes to 2 connections at once, and not to more\n')
    await Visitor.open(t, `${target.url}/echo`)
    first?.socket.terminate()
    while ((await target.statistics()).pushers > 1) await sleep(5)
    await Visitor.open(t, `${target.url}/stall`)
  })

  test('a visit that pushes or stalls ends after the bound of time', async (t) => {
    const { url } = await targetFor(t, { bounds: { time: 300 } })
    const [source, silent, stalled] = await Promise.all(
      ['/source?rate=10', '/silent', '/stall?time=200'].map((path) => new Visitor(url + path).ended),
    )
    assert.equal(stalled?.code, 1006)
    assert.equal(source?.code, 1001)
    assert.equal(silent?.code, 1006)
  })

  test('a source waits for a client that does not read, and holds no memory for it', async (t) => {
    const target = await targetFor(t)
    const before = process.memoryUsage.rss()
    const visitors = await Promise.all(
      ['/source?size=64KiB', '/flood', '/flood?kind=fragment', '/flood?kind=ping'].map((path) =>
        Visitor.open(t, target.url + path),
      ),
    )
    for (const { socket } of visitors) socket.pause()
    await sleep(300)
    for (const { bufferedAmount } of target.server.connections) assert.ok(bufferedAmount < 4 * 2 ** 20)
    assert.ok(process.memoryUsage.rss() - before < 200 * 2 ** 20)
  })

  for (const rate of effort({ quick: [200, 5000], full: [1, 7, 200, 1500, 10_000] })) {
    test(`${rate} messages per second are ${rate} messages per second, over time`, async (t) => {
      const seconds = rate < 10 ? 3 : 1
      const { url } = await targetFor(t)
      const { times } = await new Visitor(`${url}/source?size=16&rate=${rate}&count=${rate * seconds + 1}`).ended
      assert.equal(times.length, rate * seconds + 1)
      const took = (times.at(-1) ?? 0) - (times[0] ?? 0)
      // A busy machine may see the first or the last message late; messages that are due are never left out.
      assert.ok(Math.abs(took / (seconds * 1000) - 1) < 0.25, `${took} ms`)
    })
  }
})

describe('beyond this machine', () => {
  const closed = ['/source', '/big', '/flood', '/slow', '/stall', '/silent', '/drop', '/half-close']

  test('the paths that push, flood, stall or break answer only if they were asked for', async (t) => {
    for (const faults of [undefined, true]) {
      const { url } = await targetFor(t, { host: '0.0.0.0', ...(faults === undefined ? {} : { faults }) })
      for (const path of closed) {
        if (faults === true) await Visitor.open(t, url + path)
        else {
          const { status, body } = await refused(url + path)
          assert.deepEqual([status, body], [403, `${path} answers only where the target was started with --faults\n`])
        }
      }
      assert.deepEqual(await (await Visitor.open(t, url)).exchange(['a'], 1), ['a'])
    }
  })

  test('on this machine they answer, unless they are turned off; /corrupt must be asked for everywhere', async (t) => {
    const near = await targetFor(t)
    await Visitor.open(t, `${near.url}/source?rate=1`)
    assert.equal((await refused(`${near.url}/corrupt`)).status, 403)
    const off = await targetFor(t, { faults: false })
    assert.equal((await refused(`${off.url}/source`)).status, 403)
    assert.match(await (await fetch(`${off.httpUrl}/paths`)).text(), /\/flood: .* \(only with --faults\)\n/)
  })

  test('what can be reached from this machine alone', () => {
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) assert.ok(isLoopback({ host }), host)
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'example.org', '', '127.0.0.1.example.org'])
      assert.equal(isLoopback({ host }), false, host)
    assert.ok(isLoopback({ path: '/run/target' }))
    assert.equal(isLoopback({ fd: 3 }), false)
    assert.equal(isLoopback({}), false)
  })
})

describe('startTarget', () => {
  test('listens on this machine, on any free port, and ends', async () => {
    const target = await startTarget()
    assert.equal(target.server.address?.address, '127.0.0.1')
    assert.equal(target.url, `ws://127.0.0.1:${target.port}`)
    assert.equal(await (await fetch(`${target.httpUrl}/readyz`)).text(), 'ready\n')
    assert.equal((await fetch(`${target.httpUrl}/healthz`)).status, 200)
    await target.close()
    assert.equal(target.url, '')
  })

  test('counts visits by path', async (t) => {
    const target = await targetFor(t)
    for (const path of ['/', '/sink', '/sink', '/topics/a']) await Visitor.open(t, target.url + path)
    const { visits, connections, handshakes } = await target.statistics()
    assert.deepEqual(visits, { '/': 1, '/sink': 2, '/topics/:topic': 1 })
    assert.deepEqual([connections, handshakes], [4, 4])
  })

  test('tells whoever starts it of wrong options', async () => {
    await assert.rejects(startTarget({ prot: 1 } as object), /startTarget has no option 'prot': did you mean 'port'\?/)
    await assert.rejects(startTarget({ bounds: { rate: 0 } }), /bounds\.rate must be a whole number from 1/)
    await assert.rejects(startTarget({ limits: { maxMesage: 1 } as object }), /did you mean 'maxMessage'\?/)
  })
})
