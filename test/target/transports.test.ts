// The paths do the same wherever the target listens: what spoils a connection stands between it and its transport, whichever
// that is, and so does what answers plain HTTP.
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { describe, test } from 'node:test'
import type { ClientOptions } from 'ws'
import type { TargetOptions } from '../../src/target/targetOptions.js'
import { CliProcess } from '../command/cliProcess.js'
import { cert, key } from '../support/certificate.js'
import { freePath } from '../support/places.js'
import { targetFor, Visitor } from './visitor.js'

const places: readonly (readonly [name: string, options: () => TargetOptions, client: ClientOptions])[] = [
  ['TCP', () => ({}), {}],
  ['TLS', () => ({ tls: { cert, key } }), { rejectUnauthorized: false }],
  ...(process.platform === 'win32' ? [] : [['a Unix socket', () => ({ path: freePath() }), {}] as const]),
]

describe('the paths over', () => {
  for (const [name, options, client] of places) {
    test(name, async (t) => {
      const target = await targetFor(t, { ...options(), allowCorrupt: true })
      const open = (path: string): Promise<Visitor> => {
        const url = target.url.startsWith('ws+unix:') ? `${target.url}:${path}` : target.url + path
        return Visitor.open(t, url, [], client)
      }
      assert.deepEqual(await (await open('/echo')).exchange(['a', Buffer.alloc(70_000)], 2), ['a', 'binary 70000'])
      const source = await (await open('/source?count=20&size=70000')).ended
      assert.deepEqual([source.code, source.got.length], [1000, 20])
      const corrupt = await open('/corrupt?kind=mask&after=1')
      corrupt.socket.send('first')
      await corrupt.ended
      assert.deepEqual([corrupt.got, corrupt.error], [['first'], 'Invalid WebSocket frame: MASK must be clear'])
      for (const path of ['/drop', '/half-close']) {
        const dropped = await open(`${path}?after=1`)
        dropped.socket.send('last')
        assert.equal((await dropped.ended).code, 1006)
        assert.deepEqual(dropped.got, ['last'], path)
      }
      const slow = await open('/slow?bytes=500')
      const began = performance.now()
      assert.deepEqual(await slow.exchange(['z'.repeat(200)], 1), ['z'.repeat(200)])
      assert.ok(performance.now() - began > 300)
      const [facts = ''] = await (await open('/headers')).exchange([], 1)
      assert.equal(JSON.parse(facts).secure, name === 'TLS')
      assert.equal(JSON.parse(facts).httpVersion, '1.1')
      assert.equal(typeof JSON.parse(facts).tls, name === 'TLS' ? 'object' : 'undefined')
    })
  }

  test('two acceptors', { timeout: 30_000 }, async (t) => {
    const cli = await CliProcess.start(['--acceptors', '2'])
    t.after(() => cli.close())
    const visitors = await Promise.all(Array.from({ length: 8 }, () => Visitor.open(t, `${cli.url}/topics/all`)))
    visitors[0]?.socket.send('to everybody')
    for (const visitor of visitors) assert.deepEqual(await visitor.exchange([], 1), ['to everybody'])
    const closed = await new Visitor(`${cli.url}/close?code=4002`).ended
    assert.equal(closed.code, 4002)
    const { got } = await new Visitor(`${cli.url}/source?rate=200&count=20&text`).ended
    assert.equal(got.length, 20)
  })

  test('plain HTTP over TLS', async (t) => {
    const { httpUrl } = await targetFor(t, { tls: { cert, key } })
    const status = await new Promise((resolve, reject) => {
      request(`${httpUrl}/readyz`, { rejectUnauthorized: false }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
    assert.equal(status, 200)
    assert.match(httpUrl, /^https:/)
  })
})

describe('the list of paths', () => {
  test('is a text for curl, and a page that runs nothing for a browser', async (t) => {
    const { httpUrl } = await targetFor(t, { faults: false })
    const text = await fetch(`${httpUrl}/paths`)
    assert.equal(text.headers.get('content-type'), 'text/plain')
    assert.match(await text.text(), /^\/: sends every message back/)
    const page = await fetch(`${httpUrl}/paths`, { headers: { Accept: 'text/html,*/*' } })
    assert.match(String(page.headers.get('content-security-policy')), /^default-src 'none'; style-src 'sha256-/)
    const html = await page.text()
    assert.match(html, /<h2><code>\/source<\/code><\/h2>\n<p>It sends .* \(only with <code>--faults<\/code>\)/)
    assert.match(html, /\/source\?size=1KiB&#38;rate=100/)
    assert.doesNotMatch(html, /<script/)
  })
})

test('sources that push as fast as they can leave time for everybody else', async (t) => {
  const { url } = await targetFor(t)
  const sources = await Promise.all(Array.from({ length: 12 }, () => Visitor.open(t, `${url}/source?size=16`)))
  const other = await Visitor.open(t, `${url}/echo`)
  for (let round = 1; round <= 5; round++) await other.exchange(['a'], round)
  for (const source of sources) await source.until(() => source.got.length > 100)
})
