// What a person and a program are told of a load with a pattern: in its own words, with what it has counted.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseBenchArguments } from '../../src/command/bench/arguments.js'
import { htmlOf } from '../../src/command/bench/html.js'
import { jsonOf } from '../../src/command/bench/json.js'
import { heading, report } from '../../src/command/bench/report.js'
import { parseThreshold, verdictOn } from '../../src/command/bench/threshold.js'
import { load } from '../../src/load/load.js'
import { startTarget } from '../../src/target.js'
import { options, tcpServer } from './peers.js'

const SHORT = ['--connections', '4', '--duration', '800ms']

/** Each pattern, where it is tried, and what is said of it. */
const CASES = [
  {
    args: ['--reply', '1', '--warmup', '0', '--size', '50'],
    unit: 'messages',
    words: ['Any message is an answer', 'from a message to its answer'],
    html: 'Messages per second',
  },
  {
    args: ['--reply', '0', '--warmup', '0', '--pipeline', '4'],
    path: '/sink',
    unit: 'messages',
    words: ['a pong says that the server has read them', 'from 4 messages to the last pong', ' unasked'],
    html: ' unasked',
  },
  {
    args: ['--fanout', 'news', '--warmup', '0', '--rate', '50'],
    unit: 'deliveries',
    words: ['4 connections that receive, and one that sends', '4 receivers, 0 others', 'due to each delivery'],
    html: 'Deliveries per second',
  },
  {
    args: ['--connect', '100', '--ramp', '100ms'],
    unit: 'handshakes',
    words: ['100 opened per second after 0.1 s of rising', '4 opened, 0 refused, 0 ended, 4 held', 'when it was open'],
    html: 'Handshakes per second',
  },
  {
    args: ['--churn', '50', '--warmup', '0'],
    unit: 'exchanges',
    words: ['at most 4 connections at once', 'exchanges a message (16 bytes) and closes', 'when it had closed'],
    html: 'Exchanges per second',
  },
  {
    args: ['--match', 'json:id', '--warmup', '0', '--message', '{"a":1}'],
    unit: 'messages',
    words: ['messages of your own', 'known by the field id', '0 others'],
    html: '0 others',
  },
]

describe('a report', { concurrency: 2 }, () => {
  for (const { args, unit, words, html, path = '' } of CASES) {
    test(args.slice(0, 2).join(' '), options, async (t) => {
      const target = await startTarget({ port: 0 })
      t.after(() => target.close())
      const command = parseBenchArguments([`${target.url}${path}`, ...SHORT, ...args])
      assert.ok(command.name === 'bench')
      const result = await load(command.load)
      assert.equal(result.error, undefined)
      const text = `${heading(command.load)}\n${report(command.load, result)}`
      for (const line of text.split('\n')) {
        // What the load generator was late by is as long as it is.
        assert.ok(line.length <= 80 || line.startsWith('warning'), line)
      }
      assert.match(text, new RegExp(`^rate +[\\d,]+ ${unit}/s$`, 'm'))
      assert.match(text, new RegExp(`^${unit} +[\\d,]+ in \\d+\\.\\d\\d s$`, 'm'))
      for (const said of words) assert.ok(text.includes(said), `${said}\n${text}`)
      const page = htmlOf(command.load, result, [])
      assert.ok(page.includes(html), html)
      const { pattern, counts, metrics, messages } = JSON.parse(jsonOf(command, result, []))
      assert.equal(pattern.name, args[0]?.slice(2))
      assert.deepEqual(counts ?? {}, result.counts ?? {})
      assert.equal(metrics.ws_message_latency.type, 'trend')
      const received = pattern.name === 'connect' || args[1] === '0' ? 0 : messages
      assert.equal(metrics.ws_msgs_received.values.count, received)
      const published = pattern.name === 'connect' ? 0 : messages
      assert.equal(metrics.ws_msgs_sent.values.count, counts?.published ?? published)
    })
  }

  test('of refusals counts them as errors', options, async (t) => {
    const url = await tcpServer(t, (socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n'))
    })
    const command = parseBenchArguments([url, ...SHORT, '--connect', '100'])
    assert.ok(command.name === 'bench')
    const result = await load(command.load)
    assert.match(report(command.load, result), /^failures {3}4 by 503$/m)
    assert.equal(verdictOn(parseThreshold('errors<1'), result).value, 4)
    assert.match(htmlOf(command.load, result, []), /<th>failures<\/th><td>4 by 503<\/td>/)
  })
})
