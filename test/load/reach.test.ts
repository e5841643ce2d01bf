// A load reaches whatever a client reaches: over TLS, Unix sockets, with headers, cookies and subprotocols, at several addresses.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createServer } from '../../src/index.js'
import { runCli } from '../command/cliProcess.js'
import { cert, key } from '../support/certificate.js'
import { listening } from '../support/serving.js'
import { options } from './peers.js'

const SHORT = ['--connections', '4', '--duration', '100ms', '--warmup', '0', '--json']

function echoing(seen: (request: { headers: unknown; protocols: readonly string[] }) => void = () => undefined) {
  return createServer({
    upgrade: ({ headers, protocols }) => {
      seen({ headers, protocols })
      return { protocol: protocols[0] ?? '' }
    },
    message: (connection, message) => void connection.send(message),
  })
}

describe('a load', { concurrency: 2 }, () => {
  test('sends headers, cookies, an origin and subprotocols', options, async (t) => {
    let seen: { headers: unknown; protocols: readonly string[] } | undefined
    const server = await listening(
      t,
      echoing((request) => {
        seen = request
      }),
    )
    const url = `ws://127.0.0.1:${server.address?.port}`
    const given = [
      '--header',
      'X-Test: a b',
      '--cookie',
      'session=1',
      '--subprotocol',
      'chat,old',
      '--origin',
      'http://x',
    ]
    const { code, stderr } = await runCli('bench', url, ...SHORT, ...given)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: 'measuring\n' })
    const text = JSON.stringify(seen)
    for (const part of ['"x-test":"a b"', '"cookie":"session=1"', '"origin":"http://x"', '["chat","old"]'])
      assert.ok(text.includes(part), text)
  })

  test('shares its connections out among several addresses', options, async (t) => {
    const counts = [0, 0]
    const urls = await Promise.all(
      counts.map(async (_, at) => {
        const server = await listening(
          t,
          echoing(() => {
            counts[at] = (counts[at] ?? 0) + 1
          }),
        )
        return `ws://127.0.0.1:${server.address?.port}`
      }),
    )
    assert.equal((await runCli('bench', ...urls, ...SHORT)).code, 0)
    assert.deepEqual(counts, [2, 2])
  })

  test('trusts the authority that it is given, any if it is told so, and else none', options, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'load-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'ca.pem')
    writeFileSync(file, cert)
    const server = echoing()
    t.after(() => server.close())
    await server.listen({ port: 0, host: '127.0.0.1', tls: { cert, key } })
    const url = `wss://localhost:${server.address?.port}`
    const address = url.replace('localhost', '127.0.0.1')
    assert.equal((await runCli('bench', url, ...SHORT, '--tls-ca', file)).code, 0)
    assert.equal((await runCli('bench', address, ...SHORT, '--insecure')).code, 0)
    const { code, stderr } = await runCli('bench', url, ...SHORT)
    assert.equal(code, 1)
    assert.match(stderr, /^millrace: wss:[^\n]+certificate[^\n]*\n$/i)
  })

  test('connects to a Unix socket', { ...options, skip: process.platform === 'win32' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'load-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const server = echoing()
    t.after(() => server.close())
    await server.listen({ path: `${folder}/socket` })
    const { code, stderr } = await runCli('bench', '--unix', `${folder}/socket`, ...SHORT)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: 'measuring\n' })
  })
})
