// What an operator sees of a target that runs: its log, the lines for a program, its health, and how it ends.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WsClient } from '../clients/wsClient.js'
import { CliProcess } from './cliProcess.js'

const options = { timeout: 30_000 }

function linesIn(text: string): Record<string, unknown>[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
}

describe('a target that runs', { concurrency: 2 }, () => {
  test('--log json is one line for the start, the stop, and nothing for connections', options, async (t) => {
    const cli = await CliProcess.start(['--log', 'json'])
    t.after(() => cli.close())
    const [start] = linesIn(cli.stdout)
    const client = await WsClient.open(String(start?.['url']))
    cli.kill('SIGTERM')
    await client.ended
    const { stdout, stderr, code } = await cli.outcome
    assert.deepEqual([stderr, code], ['', 0])
    assert.deepEqual(
      linesIn(stdout).map(({ event, level, name }) => ({ event, level, name })),
      ['start', 'stop'].map((event) => ({ event, level: 30, name: 'millrace' })),
    )
  })

  test('--log-connections adds a line for each connection that comes and goes', options, async (t) => {
    const cli = await CliProcess.start(['--log', 'json', '--log-connections'])
    t.after(() => cli.close())
    const client = await WsClient.open(`${linesIn(cli.stdout)[0]?.['url']}/sink`)
    await client.close(4000)
    while (!cli.stdout.includes('"close"')) await sleep(10)
    const [, open, close] = linesIn(cli.stdout)
    assert.deepEqual([open?.['event'], open?.['path'], open?.['address']], ['open', '/sink', '127.0.0.1'])
    assert.deepEqual([close?.['event'], close?.['path'], close?.['code']], ['close', '/sink', 4000])
  })

  test('--log-level keeps the rest unsaid; --log pretty is for people', options, async (t) => {
    const quiet = await CliProcess.start(['--json', '--log', 'json', '--log-level', 'error'])
    t.after(() => quiet.close())
    quiet.kill('SIGTERM')
    assert.deepEqual(
      linesIn((await quiet.outcome).stdout).map(({ event }) => event),
      ['start', 'end'],
    )
    const pretty = await CliProcess.start(['--log', 'pretty'])
    t.after(() => pretty.close())
    assert.match(pretty.stdout, /INFO.*: listens on http:\/\/127\.0\.0\.1:\d+ and echoes ws:/)
  })

  test('--json is a line for a program at the start and at the end', options, async (t) => {
    const cli = await CliProcess.start(['--json'], { MILLRACE_ADMIN_PORT: '0' })
    t.after(() => cli.close())
    const [start] = linesIn(cli.stdout)
    assert.equal(start?.['event'], 'start')
    assert.equal(start?.['pid'], cli.child.pid)
    assert.equal(typeof start?.['adminPort'], 'number')
    await (await WsClient.open(String(start?.['url']))).close(1000)
    cli.kill('SIGTERM')
    const [, end] = linesIn((await cli.outcome).stdout)
    assert.deepEqual([end?.['event'], end?.['handshakes']], ['end', 1])
    assert.equal(typeof end?.['uptime'], 'number')
  })

  for (const acceptors of [[], ['--acceptors', '2']]) {
    test(`/readyz is 503 as soon as draining begins, and closes come later ${acceptors}`, options, async (t) => {
      const drain = ['--drain-notice', '600ms', '--drain-code', '1012', '--drain-over', '100ms']
      const cli = await CliProcess.start([...drain, ...acceptors])
      t.after(() => cli.close())
      const http = cli.url.replace('ws', 'http')
      const client = await WsClient.open(cli.url)
      let ended = false
      const outcome = client.ended.then((status) => {
        ended = true
        return status
      })
      assert.deepEqual([(await fetch(`${http}/readyz`)).status, (await fetch(`${http}/healthz`)).status], [200, 200])
      cli.kill('SIGTERM')
      await sleep(250)
      const ready = await fetch(`${http}/readyz`)
      assert.deepEqual([ready.status, await ready.text(), ended], [503, 'draining\n', false])
      assert.equal((await fetch(`${http}/healthz`)).status, 200)
      const late = await WsClient.open(cli.url) // who has not noticed yet is still served
      assert.deepEqual(await outcome, { code: 1012, reason: '' })
      assert.deepEqual(await late.ended, { code: 1012, reason: '' })
      assert.equal((await cli.outcome).code, 0)
    })
  }

  test('an acceptor that dies is a line, and so is a reload', {
    ...options,
    skip: process.platform !== 'linux',
  }, async (t) => {
    const cli = await CliProcess.start(['--acceptors', '1', '--log', 'json'])
    t.after(() => cli.close())
    const lines = (): Record<string, unknown>[] => linesIn(cli.stdout)
    cli.kill('SIGHUP')
    while (!cli.stdout.includes('"reload"')) await sleep(10)
    assert.equal(lines()[1]?.['event'], 'reload')
    process.kill(acceptorOf(cli), 'SIGKILL')
    while (!cli.stdout.includes('"crash"')) await sleep(10)
    const crash = lines().find(({ event }) => event === 'crash')
    assert.equal(crash?.['level'], 50)
    assert.match(String(crash?.['msg']), /^acceptor \d+ was killed by SIGKILL; another starts in /)
  })

  test('the admin port has the health, and nothing that faults', options, async (t) => {
    const cli = await CliProcess.start(['--host', '0.0.0.0', '--json'], { MILLRACE_ADMIN_PORT: '0' })
    t.after(() => cli.close())
    const admin = `http://127.0.0.1:${linesIn(cli.stdout)[0]?.['adminPort']}`
    assert.equal((await fetch(`${admin}/readyz`)).status, 200)
    assert.equal((await fetch(`${admin}/`)).status, 200)
    assert.equal((await fetch(`${admin}/source`)).status, 404)
  })
})

/** The acceptor of a command that has one. */
function acceptorOf({ child }: CliProcess): number {
  const isChild = new RegExp(`^PPid:\\t${child.pid}$`, 'm')
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isChild.test(statusOf(name)))
  return Number(pids.at(-1))
}

/** Empty for a process that has just ended. */
function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
