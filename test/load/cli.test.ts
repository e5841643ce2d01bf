// `millrace bench` as a person and a program start it: what it prints where, and how it ends.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliProcess, runCli } from '../command/cliProcess.js'
import { effort } from '../support/effort.js'
import { BINARY, buildFrame } from '../support/frames.js'
import { echoServer, options, tcpServer, upgradingServer } from './peers.js'

const SHORT = ['--connections', '4', '--duration', '300ms', '--warmup', '50ms']

describe('millrace bench', { concurrency: 2 }, () => {
  test('for a person', options, async (t) => {
    const { code, stdout, stderr } = await runCli('bench', await echoServer(t), ...SHORT, '--size', '1k', '--verify')
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(
      stdout,
      /^Measuring ws:\/\/\S+ for 0\.3 s\n4 connections, binary messages of 1KiB, 1 in flight on each\nClosed loop: [^\n]+\n/,
    )
    assert.match(
      stdout,
      /^rate +[\d,]+ messages\/s\n +[\d.]+ MB\/s each way\nmessages +[\d,]+ in 0\.\d\d s, echoes compared$/m,
    )
    assert.match(stdout, /^errors +none$/m)
    for (const name of ['p50', 'p90', 'p99', 'p99\\.9', 'max']) {
      assert.match(stdout, new RegExp(`^ {2}${name} +[\\d.]+ (µs|ms|s)$`, 'm'))
    }
    assert.match(stdout, /^ {2}to +\d+ (µs|ms) +[\d.]+% {2}█+$/m)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  })

  test('for a program', options, async (t) => {
    const url = await echoServer(t)
    const { code, stdout, stderr } = await runCli('bench', ...SHORT, url, '--json', '--text', '--rate', '500')
    assert.deepEqual({ code, stderr }, { code: 0, stderr: 'measuring\n' })
    assert.match(stdout, /^[^\n]+\n$/)
    const { messages, seconds, messagesPerSecond, megabytesPerSecond, latency, histogram, ...rest } = JSON.parse(stdout)
    const { receivedMegabytesPerSecond: received, sentMegabytesPerSecond: sent, ...known } = rest
    const { version, intervals, generator, disorder, metrics, ...asked } = known
    assert.equal(version, 1)
    assert.equal(disorder, undefined) // 16 bytes of text have no room for numbers
    assert.ok(intervals.length > 0 && generator.cpu > 0)
    assert.equal(metrics.ws_msgs_received.values.count, messages)
    assert.deepEqual(asked, {
      url: `${url}/`,
      connections: 4,
      size: 16,
      pipeline: 1,
      duration: 0.3,
      warmup: 0.05,
      kind: 'text',
      verify: false,
      sequence: true,
      rate: 500,
      processes: 1,
      greetings: 0,
      error: null,
    })
    for (const value of [received, sent, messages, seconds, messagesPerSecond, megabytesPerSecond]) assert.ok(value > 0)
    assert.deepEqual(Object.keys(latency), ['p50', 'p90', 'p99', 'p999', 'max'])
    assert.ok(histogram.length > 0)
  })

  test('a wrong address, a refusal and a mistake are one line and 1 each', options, async (t) => {
    const refusing = await tcpServer(t, (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'))
    })
    for (const [args, expected] of [
      [['ws://127.0.0.1:1'], /^millrace: ws:\/\/127\.0\.0\.1:1 cannot be reached: nobody listens there\n$/],
      [[refusing], /^millrace: ws:\S+ refused: 403 Forbidden\n$/],
      [[], /^millrace: bench needs an address, .*; see millrace bench --help\n$/],
    ] as const) {
      const { code, stdout, stderr } = await runCli('bench', ...args)
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
      assert.match(stderr, expected)
    }
  })

  for (const json of effort({ quick: [true], full: [false, true] })) {
    test(`a server that dies mid-run${json ? ', for a program' : ''}`, options, async (t) => {
      const server = await CliProcess.start()
      t.after(() => server.close())
      const more = json ? ['--json'] : []
      const cli = new CliProcess([
        'bench',
        server.url,
        '--connections',
        '3',
        '--duration',
        '60',
        '--warmup',
        '0',
        ...more,
      ])
      t.after(() => cli.close())
      while (!(cli.stdout + cli.stderr).toLowerCase().includes('measuring')) await sleep(10)
      await sleep(effort({ quick: 100, full: 300 }))
      server.kill('SIGKILL')
      const { code, stdout, stderr } = await cli.outcome
      assert.equal(code, 1)
      const line = /^millrace: ws:\S+ failed: (the server ended the connection|the connection broke)\n$/
      assert.match(json ? stderr.replace('measuring\n', '') : stderr, line)
      if (json) assert.ok(JSON.parse(stdout).messages > 0 && JSON.parse(stdout).error !== null)
      else assert.match(stdout, /^rate +[1-9][\d,]* messages\/s$/m)
    })
  }

  test('a server that never answers', options, async (t) => {
    const url = await upgradingServer(t, () => undefined)
    const { code, stdout, stderr } = await runCli('bench', url, ...SHORT)
    assert.equal(code, 1)
    assert.match(stdout, /^Measuring [^\n]+\n[^\n]+\nClosed loop[^\n]+\n$/)
    assert.match(stderr, /^millrace: ws:\S+ answered nothing in 0\.3 s\n$/)
  })

  test('a server that answers something else', options, async (t) => {
    const wrong = buildFrame({ opcode: BINARY, payload: 'x' })
    const url = await upgradingServer(t, (socket) => socket.write(wrong))
    const { code, stderr } = await runCli('bench', url, ...SHORT, '--verify')
    assert.equal(code, 1)
    assert.match(stderr, /^millrace: ws:\S+ failed: an echo is not what was sent \(1 bytes came, 16 were sent\)\n$/)
  })

  for (const signal of effort({ quick: ['SIGINT'], full: ['SIGINT', 'SIGTERM'] } as const)) {
    test(`${signal} prints what was measured so far, and 0`, options, async (t) => {
      const cli = new CliProcess(['bench', await echoServer(t), '--duration', '60', '--warmup', '0', '--json'])
      t.after(() => cli.close())
      while (!cli.stderr.includes('measuring')) await sleep(10)
      await sleep(effort({ quick: 150, full: 400 }))
      cli.kill(signal)
      cli.kill(signal) // the same press, from the terminal and from npm
      const { code, stdout, stderr } = await cli.outcome
      assert.deepEqual({ code, stderr }, { code: 0, stderr: 'measuring\n' })
      const { messages, seconds, error } = JSON.parse(stdout)
      assert.ok(messages > 0 && seconds > 0 && seconds < 20 && error === null)
    })
  }

  for (const stage of ['dialling', 'warming up']) {
    test(`Ctrl+C while ${stage} is 130: nothing was measured`, options, async (t) => {
      let began = (): void => undefined
      const busy = new Promise<void>((resolve) => {
        began = resolve
      })
      const url = await (stage === 'dialling'
        ? tcpServer(t, (socket) => socket.once('data', began))
        : upgradingServer(t, began))
      const cli = new CliProcess(['bench', url, '--warmup', '60'])
      t.after(() => cli.close())
      await busy
      cli.kill('SIGINT')
      assert.deepEqual(await cli.outcome, {
        code: 130,
        signal: null,
        stdout: '',
        stderr: 'millrace: stopped before anything was measured\n',
      })
    })
  }

  test('--help', options, async () => {
    const { code, stdout, stderr } = await runCli('bench', '--help')
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(stdout, /^millrace bench: /)
  })
})
