// `millrace conform` as a person and a CI job use it: what it prints, the files that it writes, and its exit code.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseConformArguments } from '../../src/command/conform/arguments.js'
import type { JsonReport } from '../../src/conform/reports/json.js'
import { CliProcess, runCli } from '../command/cliProcess.js'
import { cert, key } from '../support/certificate.js'
import { createEchoServer } from '../support/echoServer.js'
import { listening, serving } from '../support/serving.js'
import { faulty } from './faultyServer.js'
import { elementsOf } from './xml.js'

const options = { timeout: 60_000 }

describe('millrace conform', { concurrency: 2 }, () => {
  test('prints a sum, and ends with 0 where all is right', options, async (t) => {
    const cli = await CliProcess.start(['--deflate'])
    t.after(() => cli.close())
    const { code, stdout, stderr } = await runCli('conform', cli.url, '--only', '5.5,7692-6', '--strict')
    assert.equal(stderr, '')
    assert.match(stdout, /^Conformance of ws:\/\/127\.0\.0\.1:\d+\/, strictly\n/)
    assert.match(stdout, /RFC 7692, section 6 +5 of 5 passed/)
    assert.match(stdout, /\n\d+ cases in [\d.]+ s: \d+ passed, 0 not strict, 0 failed\n$/)
    assert.equal(code, 0)
  })

  test('says what was expected, what came and where it stands, in all its outputs', options, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-conform-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = (name: string): string => join(folder, name)
    const port = await faulty(t, 'emptyPongs')
    const files = ['--json', file('a.json'), '--junit', file('a.xml'), '--html', file('a.html')]
    const { code, stdout, stderr } = await runCli(
      'conform',
      `127.0.0.1:${port}`,
      '--only',
      '5.5.2',
      '--timeout',
      '4s',
      ...files,
    )
    assert.equal(code, 1)
    assert.equal(stderr, '')
    assert.match(stdout, /FAIL 5\.5\.2\/\d+: a Ping of 1 byte|FAIL 5\.5\.2\/2: a Ping of 1 bytes/)
    assert.match(stdout, /expected a Pong of 1 byte \[00\]\n {6}came {5}nothing within 1000 ms/)

    const json: JsonReport = JSON.parse(readFileSync(file('a.json'), 'utf8'))
    assert.equal(json.passed, false)
    assert.ok(json.counts.fail > 0 && json.counts.pass > 0)
    assert.equal(json.cases.length, json.counts.fail + json.counts.pass)
    const failed = json.cases.find(({ verdict }) => verdict === 'fail')
    assert.equal(failed?.section, '5.5.2')
    assert.match(failed?.expected ?? '', /^a Pong of/)
    assert.match(failed?.rule ?? '', /Ping is answered/)

    const elements = elementsOf(readFileSync(file('a.xml'), 'utf8'))
    const named = (name: string): typeof elements => elements.filter((element) => element.name === name)
    assert.equal(named('testcase').length, json.cases.length)
    assert.equal(named('failure').length, json.counts.fail)
    assert.equal(named('testsuites')[0]?.attributes['failures'], String(json.counts.fail))
    assert.match(named('failure')[0]?.attributes['message'] ?? '', /^expected a Pong/)

    const html = readFileSync(file('a.html'), 'utf8')
    assert.match(html, /^<!doctype html>/)
    assert.equal((html.match(/<td class="fail">failed<\/td>/g) ?? []).length, json.counts.fail)
    assert.doesNotMatch(html, /<script|src=|https?:\/\//)
  })

  test('--strict fails what is not strict', options, async (t) => {
    const port = await faulty(t, 'noCode')
    const args = ['conform', `ws://127.0.0.1:${port}`, '--only', '5.1', '--timeout', '4s']
    const lax = await runCli(...args)
    assert.match(lax.stdout, /not strict 5\.1\/1: /)
    assert.equal(lax.code, 0)
    assert.equal((await runCli(...args, '--strict')).code, 1)
  })

  test('reaches servers over TLS, over Unix sockets, and with headers', options, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-conform-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const secure = await listening(t, createEchoServer(), { tls: { key, cert } })
    const url = `wss://127.0.0.1:${secure.address?.port}`
    const refused = await runCli('conform', url, '--only', '5.5.3')
    assert.match(refused.stderr, /can't be reached: .*certificate/)
    assert.equal((await runCli('conform', url, '--only', '5.5.3', '--insecure')).code, 0)

    const path = join(folder, 's')
    const server = createEchoServer()
    t.after(() => server.close())
    await server.listen({ path })
    assert.equal((await runCli('conform', 'ws://localhost', '--unix', path, '--only', '5.5.3')).code, 0)

    const guarded = await serving(t, {
      upgrade: ({ headers }) => (headers['x-token'] === 'abc: d' ? undefined : { status: 401, body: 'no' }),
      message: (connection, message) => void connection.send(message),
    })
    const guardedUrl = `ws://127.0.0.1:${guarded.address?.port}`
    assert.match((await runCli('conform', guardedUrl, '--only', '5.5.3')).stderr, /opens no WebSocket: HTTP\/1\.1 401/)
    assert.equal((await runCli('conform', guardedUrl, '--only', '5.5.3', '--header', 'X-Token: abc: d')).code, 0)
  })

  test('lists its cases, and explains itself', options, async () => {
    const { stdout, code } = await runCli('conform', '--list', '--only', '5.5.3')
    assert.match(stdout, /^5\.5\.3\/1 +must +.*\(RFC 6455, section 5\.5\.3\)\n/)
    assert.match(stdout, /\n\d+ cases\n$/)
    assert.equal(code, 0)
    assert.match((await runCli('conform', '--help')).stdout, /^millrace conform: .*\n[\s\S]*--junit/)
  })

  test('says where help is', options, async () => {
    const { code, stderr } = await runCli('conform')
    assert.match(stderr, /^millrace: conform needs an address, .*; see millrace conform --help\n$/)
    assert.equal(code, 1)
  })

  for (const [args, says] of [
    [[], /conform needs an address/],
    [['ws://a', 'ws://b'], /one address at a time/],
    [['ftp://a'], /not an address such as/],
    [['ws://a', '--only', '99'], /names no case/],
    [['ws://a', '--header', 'nothing'], /--header needs a name and a value/],
    [['ws://a', '--header', 'Connection: x'], /the handshake sets Connection/],
    [['ws://a', '--timeout', '1ms'], /100ms to 10m/],
    [['ws://a', '--parallel', '0'], /--parallel/],
    [['ws://a', '--tls-ca', '/nowhere'], /can't be read/],
    [['ws://a', '--ony', '5'], /did you mean --only/],
  ] as const) {
    test(`refuses ${args.join(' ') || 'no arguments'}`, () => {
      assert.throws(() => parseConformArguments(args), { name: 'Error', message: says })
    })
  }
})
