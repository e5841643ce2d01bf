// A script says what is sent: its hooks are called when they should be, and what is wrong with one ends the load with a line.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseBenchArguments } from '../../src/command/bench/arguments.js'
import { withScript } from '../../src/command/bench/script.js'
import { UsageError } from '../../src/command/options.js'
import type { LoadOptions } from '../../src/load/load.js'
import type { LoadScript } from '../../src/load/loadScript.js'
import { startTarget } from '../../src/target.js'
import { runCli } from '../command/cliProcess.js'
import { buildFrame, CLOSE, PING, TEXT } from '../support/frames.js'
import { echoServer, options, programFile, shortLoad, upgradingServer, wsEchoServer } from './peers.js'

function scripted(script: LoadScript, more: Partial<LoadOptions> = {}): Partial<LoadOptions> {
  return { pattern: { name: 'script', script }, connections: 4, warmup: 0, duration: 0.3, ...more }
}

describe('the hooks of a script', { concurrency: 4 }, () => {
  test('open and message: a closed loop of its own', options, async (t) => {
    const script: LoadScript = {
      open(connection) {
        connection.data['sent'] = performance.now()
        connection.send('1')
      },
      message(connection, message, load) {
        load.answered(Number(connection.data['sent']))
        connection.data['sent'] = performance.now()
        connection.send(String(Number(message.text()) + 1))
      },
    }
    const { error, messages, latency, counts, histogram } = await shortLoad(
      await wsEchoServer(t),
      scripted(script, { duration: 0.6 }),
    )
    assert.equal(error, undefined)
    assert.deepEqual(counts, { received: messages, ticks: 0 })
    assert.ok(messages > 0 && latency.p50 > 0)
    assert.equal(
      histogram.reduce((sum, [, count]) => sum + count, 0),
      messages,
    )
  })

  test('tick: at the rate, for one connection after the other, with when it was due', options, async (t) => {
    const turns: number[] = []
    const dues: number[] = []
    let opened = 0
    const script: LoadScript = {
      open(connection) {
        connection.data['number'] = opened++
      },
      tick(connection, load, due) {
        turns.push(Number(connection.data['number']))
        dues.push(due)
        connection.send('x')
        load.answered(due)
      },
    }
    const url = await echoServer(t)
    const { error, counts } = await shortLoad(url, scripted(script, { rate: 100, duration: 0.5 }))
    assert.equal(error, undefined)
    const ticks = counts?.['ticks'] ?? 0
    assert.ok(ticks > 0 && ticks <= dues.length, `${ticks} of ${dues.length}`)
    for (const [at, turn] of turns.entries()) assert.equal(turn, turns[at % 4])
    for (let at = 1; at < dues.length; at++) assert.ok(Math.abs((dues[at] ?? 0) - (dues[at - 1] ?? 0) - 10) < 1e-6)
  })

  test('a script that only sends measures its ticks', options, async (t) => {
    const target = await startTarget({ port: 0 })
    t.after(() => target.close())
    const script: LoadScript = { tick: (connection) => void connection.send('x') }
    const { error, messages, counts } = await shortLoad(`${target.url}/sink`, scripted(script, { rate: 200 }))
    assert.equal(error, undefined)
    assert.ok(messages > 0)
    assert.deepEqual(counts, { received: 0, ticks: messages })
  })

  for (const [name, script] of [
    ['throws', { message: () => fail() }],
    ['rejects', { message: async () => sleep(1).then(fail) }],
  ] as const) {
    test(`that ${name} ends the load`, options, async (t) => {
      const given: LoadScript = { open: (connection) => void connection.send('x'), ...script }
      const began = performance.now()
      await assert.rejects(
        shortLoad(await echoServer(t), scripted(given, { duration: 20 })),
        /^Error: the script failed in message: this is wrong$/,
      )
      assert.ok(performance.now() - began < 5000)
    })
  }

  test('that throws when a connection opens ends the load, before it begins', options, async (t) => {
    await assert.rejects(
      shortLoad(await echoServer(t), scripted({ open: () => fail() })),
      /the script failed in open: this is wrong/,
    )
  })

  test('may close connections, and the load is over with the last of them', options, async (t) => {
    const script: LoadScript = {
      open: (connection) => void connection.send('x'),
      message: (connection) => connection.close(),
    }
    const began = performance.now()
    const { error } = await shortLoad(await echoServer(t), scripted(script, { duration: 20 }))
    assert.equal(error, undefined)
    assert.ok(performance.now() - began < 5000)
  })

  test('a server that ends a connection is named', options, async (t) => {
    const url = await upgradingServer(
      t,
      () => undefined,
      (socket) => setTimeout(() => socket.write(buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 243, 119) })), 50),
    )
    const { error } = await shortLoad(url, scripted({ message() {} }, { duration: 20 }))
    assert.equal(error, 'a connection ended with 1011 w')
  })

  test('a message may be read as long as the promise of its hook lasts', options, async (t) => {
    const texts: string[] = []
    const script: LoadScript = {
      open: (connection) => void connection.send('late'),
      message: async (_, message) => {
        await sleep(20)
        texts.push(message.text())
      },
    }
    const { error } = await shortLoad(await echoServer(t), scripted(script))
    assert.equal(error, undefined)
    assert.deepEqual(texts, ['late', 'late', 'late', 'late'])
  })

  test('pings are answered', options, async (t) => {
    const said: number[] = []
    const url = await upgradingServer(
      t,
      (_, chunk) => said.push(chunk[0] ?? 0),
      (socket) => setTimeout(() => socket.write(buildFrame({ opcode: PING, payload: 'x' })), 50),
    )
    await shortLoad(url, scripted({ message() {} }, { connections: 1 }))
    assert.ok(said.includes(0x8a))
  })
})

function fail(): never {
  throw new Error('this is wrong\n    at a second line')
}

describe('millrace bench --script', { concurrency: 2 }, () => {
  test('runs the example, and reports what it has noted', options, async (t) => {
    const target = await startTarget({ port: 0 })
    t.after(() => target.close())
    const given = ['--connections', '4', '--duration', '500ms', '--warmup', '100ms', '--rate', '100', '--json']
    const script = ['--script', 'examples/load-script.mjs']
    const { code, stdout, stderr } = await runCli('bench', `${target.url}/topics/chat`, ...given, ...script)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: 'measuring\n' })
    const { counts, histogram, pattern, metrics } = JSON.parse(stdout)
    assert.equal(pattern.name, 'script')
    const noted = histogram.reduce((sum: number, [, count]: [number, number]) => sum + count, 0)
    assert.ok(counts.ticks > 0 && noted > 0, stdout)
    assert.ok(counts.received >= noted)
    assert.equal(metrics.ws_msgs_received.values.count, counts.received)
  })

  for (const [name, program, more, expected] of [
    ['that is not there', undefined, [], /script\.mjsx can't be loaded \(Cannot find module .*\)$/],
    ['with a syntax error', 'export function open( {', [], /can't be loaded \(.+\)$/],
    ['that throws', 'throw new Error("no\\nway")', [], /can't be loaded \(no\)$/],
    ['without hooks', 'export const a = 1', [], /exports none of open, message, tick$/],
    ['whose hook is no function', 'export const open = 1', [], /exports open, but not as a function$/],
    ['with a tick, without a rate', 'export function tick() {}', [], /say with --rate how often/],
    [
      'without a tick, with a rate',
      'export function open() {}',
      ['--rate', '5'],
      /--rate says how often tick is called/,
    ],
  ] as const) {
    test(`a file ${name} is refused`, async (t) => {
      const path = program === undefined ? `${programFile(t, '')}x` : programFile(t, program)
      const command = parseBenchArguments(['ws://127.0.0.1:1', '--script', path, ...more])
      assert.ok(command.name === 'bench')
      await assert.rejects(
        withScript(command.load, command.script),
        (error) => error instanceof UsageError && expected.test(error.message) && !error.message.includes('\n'),
      )
    })
  }

  test('a hook that throws is one line and 1', options, async (t) => {
    const path = programFile(t, 'export function open() { throw new Error("bad\\u001b[2J\\nstack") }')
    const { code, stdout, stderr } = await runCli('bench', await echoServer(t), '--script', path)
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
    assert.equal(stderr, 'millrace: the script failed in open: bad\\u{1b}[2J\n')
  })

  test('a message that is not JSON, in the example, is one line and 1', options, async (t) => {
    const url = await upgradingServer(
      t,
      () => undefined,
      (socket) => setTimeout(() => socket.write(buildFrame({ opcode: TEXT, payload: 'no JSON' })), 300),
    )
    const given = ['--script', 'examples/load-script.mjs', '--rate', '10', '--connections', '1', '--warmup', '0']
    const { code, stderr } = await runCli('bench', url, ...given)
    assert.equal(code, 1)
    assert.match(stderr, /^millrace: the script failed in message: [^\n]+\n$/)
  })
})
