// What a load leaves behind for people and programs: verdicts, comparisons, files.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { changeOf } from '../../src/command/bench/comparison.js'
import { parseThreshold } from '../../src/command/bench/threshold.js'
import { UsageError } from '../../src/command/options.js'
import { runCli } from '../command/cliProcess.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { echoServer, options } from './peers.js'

const SHORT = ['--connections', '4', '--duration', '300ms', '--warmup', '50ms']

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'load-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

describe('thresholds', { concurrency: 2 }, () => {
  test('that hold are 0', options, async (t) => {
    const given = ['--threshold', 'p(99)<5000', '--threshold', 'rate>1', '--threshold', 'errors<1']
    const { code, stdout, stderr } = await runCli('bench', await echoServer(t), ...SHORT, ...given)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(stdout, /\nthresholds\n {2}holds {2}p\(99\)<5000 \([\d.]+ ms\)\n {2}holds {2}rate>1 \([\d.]+\)\n/)
  })

  test('that do not are 1, and k6 has the same words for them', options, async (t) => {
    const given = ['--threshold', 'avg<0.000001', '--threshold', 'connecting:p(95)<60000', '--json']
    const { code, stdout, stderr } = await runCli('bench', await echoServer(t), ...SHORT, ...given)
    assert.deepEqual({ code, stderr }, { code: 1, stderr: 'measuring\nmillrace: avg<0.000001 does not hold\n' })
    const { metrics } = JSON.parse(stdout)
    assert.deepEqual(metrics.ws_message_latency.thresholds, { 'avg<0.000001': { ok: false } })
    assert.deepEqual(metrics.ws_connecting.thresholds, { 'connecting:p(95)<60000': { ok: true } })
    assert.equal(metrics.ws_sessions.values.count, 4)
    for (const name of ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)']) {
      assert.ok(metrics.ws_message_latency.values[name] > 0, name)
      assert.ok(metrics.ws_connecting.values[name] > 0, name)
    }
  })

  for (const text of ['p99<5', 'p(101)<5', 'rate', 'avg<', 'avg<x', 'other:avg<1', '']) {
    test(`${JSON.stringify(text)} is none`, () => {
      assert.throws(
        () => parseThreshold(text),
        (error) => error instanceof UsageError && /^--threshold: .* is not a threshold such as /.test(error.message),
      )
    })
  }
})

describe('a comparison', { concurrency: 2 }, () => {
  test('tells a difference from noise', () => {
    const slow = [100, 101, 99, 100, 102, 98]
    const more = slow.map((value) => value * 1.1)
    const change = changeOf(slow, more)
    assert.ok(change !== undefined && Math.abs(change.factor - 1.1) < 1e-9 && change.from > 1.05 && change.to < 1.15)
    const same = changeOf(slow, [...slow].reverse())
    assert.ok(same !== undefined && same.from < 1 && same.to > 1)
    assert.equal(changeOf([1, 2], slow), undefined)
    assert.deepEqual(changeOf([5, 5, 5], [5, 5, 5]), { factor: 1, from: 1, to: 1 })
  })

  test('with a file that an earlier load has written', options, async (t) => {
    const file = join(folder(t), 'old.json')
    const url = await echoServer(t)
    writeFileSync(file, (await runCli('bench', url, ...SHORT, '--json')).stdout)
    const { code, stdout } = await runCli('bench', url, ...SHORT, '--compare', file)
    assert.equal(code, 0)
    assert.match(
      stdout,
      /\ncompared {3}with \S+, means of intervals, 95 % confidence\n {2}rate .*\n {2}p50 .*\n {2}p99 .*\n$/,
    )
  })

  test('with a file that has none is refused before anything is loaded', options, async (t) => {
    const file = join(folder(t), 'old.json')
    writeFileSync(file, '{}')
    for (const [name, expected] of [
      [file, /has no intervals: write it with millrace bench --json/],
      [`${file}x`, /can't be read/],
    ] as const) {
      const { code, stdout, stderr } = await runCli('bench', 'ws://127.0.0.1:1', '--compare', name)
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
      assert.match(stderr, expected)
    }
  })
})

test('--hgrm is the distribution, from the first value to the last', options, async (t) => {
  const file = join(folder(t), 'latency.hgrm')
  const { stdout } = await runCli('bench', await echoServer(t), ...SHORT, '--json', '--hgrm', file)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^ +Value +Percentile +TotalCount +1\/\(1-Percentile\)$/)
  const rows = lines.filter((line) => /^ *\d/.test(line)).map((line) => line.trim().split(/ +/).map(Number))
  for (const [at, [value = 0, share = 0, count = 0]] of rows.entries()) {
    const [below = 0, less = 0, fewer = 0] = rows[at - 1] ?? []
    assert.ok(value > below && share > less && count > fewer)
  }
  const [value, share, count] = rows.at(-1) ?? []
  const { messages, latency } = JSON.parse(stdout)
  assert.deepEqual([share, count], [1, messages])
  assert.ok(Math.abs((value ?? 0) - latency.max / 1000) < 0.001)
  assert.match(lines.at(-2) ?? '', new RegExp(`^#\\[Max +=.*Total count += +${messages}\\]$`))
})

test('--progress says how it goes, a line for each interval', options, async (t) => {
  const { code, stderr } = await runCli('bench', await echoServer(t), ...SHORT, '--progress')
  assert.equal(code, 0)
  const lines = stderr.trimEnd().split('\n')
  assert.ok(lines.length >= 3)
  for (const line of lines)
    assert.match(line, /^[\d,]+ messages\/s, p50 [\d.]+ (?:µs|ms), p99 [\d.]+ (?:µs|ms), no errors, \d+ s left$/)
})

describe('--html', () => {
  test('is one file without a script', options, async (t) => {
    const file = join(folder(t), 'report.html')
    await runCli('bench', await echoServer(t), ...SHORT, '--html', file, '--threshold', 'max<60000')
    const text = readFileSync(file, 'utf8')
    assert.equal(/<script|https?:|src=|@import/.test(text.replace(/xmlns="[^"]*"/g, '')), false)
    assert.equal(text.match(/<svg /g)?.length, 4)
    assert.match(text, /<td>max&lt;60000<\/td><td>[\d.]+<\/td><td class="good">holds<\/td>/)
  })

  test('can be read in light and dark, wide and narrow', { ...options, skip: chromiumMissing() }, async (t) => {
    const file = join(folder(t), 'report.html')
    await runCli('bench', await echoServer(t), ...SHORT, '--html', file)
    const browser = await launchChromium()
    t.after(() => browser.close())
    for (const [colorScheme, width] of [
      ['light', 1200],
      ['dark', 360],
    ] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } })
      const problems: string[] = []
      page.on('console', (message) => problems.push(message.text()))
      page.on('request', (request) => request.url().startsWith('file:') || problems.push(request.url()))
      await page.goto(pathToFileURL(file).href)
      const [ground = '', beyond] = await page.evaluate<[string, number]>(
        '[getComputedStyle(document.body).backgroundColor, document.documentElement.scrollWidth - innerWidth]',
      )
      const [red = 0] = (ground.match(/\d+/g) ?? []).map(Number)
      assert.ok(colorScheme === 'light' ? red > 200 : red < 60, ground)
      assert.ok(beyond <= 0, `${beyond} px beyond ${width}`)
      assert.equal(await page.locator('svg path').count(), 4)
      assert.deepEqual(problems, [])
    }
  })
})
