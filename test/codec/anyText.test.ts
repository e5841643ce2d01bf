// Text may be any bytes where a slot allows it: the parser and the look at inflated text do not judge it then.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { TextCheck } from '../../src/codec/textCheck.js'
import { INBOX } from '../../src/codec/wasm.generated.js'
import { buildFrame, CONTINUATION, PING, TEXT } from '../support/frames.js'
import { CodecParser } from './codecParser.js'

const bytes = Buffer.of(0x61, 0xc3, 0x28, 0xff)
const key = Buffer.of(1, 2, 3, 4)
const long = Buffer.alloc(100_000, bytes)
const rules = { masked: true, limit: 1_000_000 }

/** What a parser finds in frames of which each read has so many bytes. */
function parsed(frames: Buffer, perRead: number, anyText: boolean): CodecParser {
  const parser = new CodecParser(rules, heapOfThread(), anyText)
  for (let at = 0; at < frames.length && parser.violation === undefined; at += perRead) {
    parser.feed(frames.subarray(at, at + perRead))
  }
  parser.close()
  return parser
}

for (const [name, payload, reads] of [
  ['a short text', bytes, [1, 3, 7, 100]],
  ['a long text', long, [10_000, 200_000]],
] as const) {
  test(`${name} may be any bytes, whole, in fragments and in pieces, and is not called ASCII`, () => {
    const whole = buildFrame({ opcode: TEXT, payload, key })
    const first = buildFrame({ opcode: TEXT, payload, key, fin: false })
    const last = buildFrame({ opcode: CONTINUATION, payload, key })
    for (const perRead of reads) {
      for (const frames of [whole, Buffer.concat([first, last])]) {
        const { events, violation } = parsed(frames, perRead, true)
        assert.equal(violation, undefined)
        assert.deepEqual(
          events.map(({ payload, ascii }) => [payload, ascii]),
          [[frames === whole ? payload : Buffer.concat([payload, payload]), false]],
        )
        assert.equal(parsed(frames, perRead, false).violation, 'INVALID_UTF8')
      }
    }
  })
}

test('a look at text that may be anything takes everything, and says that nobody has looked', () => {
  const check = new TextCheck(heapOfThread().codec, true)
  check.begin()
  assert.equal(check.takes(INBOX, 10), true)
  assert.equal(check.isWhole, true)
  assert.equal(check.isAscii, false)
})

test('a payload length may be longer than it has to be where a slot allows it, but for control frames', () => {
  const forms = [
    [16, 'x'],
    [64, 'x'],
    [16, ''],
    [64, 'y'.repeat(300)],
  ] as const
  for (const [form, text] of forms) {
    const payload = Buffer.from(text)
    const frames = Buffer.concat([
      buildFrame({ opcode: TEXT, payload, key, form }),
      buildFrame({ opcode: TEXT, payload, key }),
    ])
    for (const perRead of [1, 3, 400]) {
      const parser = new CodecParser(rules, heapOfThread(), false, true)
      for (let at = 0; at < frames.length; at += perRead) parser.feed(frames.subarray(at, at + perRead))
      parser.close()
      assert.equal(parser.violation, undefined)
      assert.deepEqual(
        parser.events.map((event) => event.payload),
        [payload, payload],
      )
    }
  }
  const ping = new CodecParser(rules, heapOfThread(), false, true)
  ping.feed(buildFrame({ opcode: PING, payload: Buffer.from('x'), key, form: 16 }))
  ping.close()
  assert.equal(ping.violation, 'CONTROL_TOO_LONG')
})
