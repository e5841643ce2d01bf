// Text is encoded in place behind a header whose length is guessed: every length at which the guess, the room that is
// reserved, or the header changes, with characters of every width, must give what TextEncoder gives.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { parseReference } from '../support/referenceParser.js'
import { settle } from '../support/settle.js'

/** Bytes at which the header grows; UTF-16 units from which on the bytes are counted first. */
const BYTES = [125, 126, 65_535, 65_536]
const UNITS = [4096]
const encoder = new TextEncoder()

const kinds: readonly (readonly [string, string])[] = [
  ['one byte', 'a'],
  ['two bytes', 'é'],
  ['two bytes, in Latin-1 strings', '\xff'],
  ['three bytes', '→'],
  ['four bytes', '𝄞'],
  ['lone high surrogates', '\ud834'],
  ['lone low surrogates', '\udd1e'],
]

for (const [kind, character] of kinds) {
  test(`characters of ${kind}, around every length that matters`, async () => {
    const { peer, wire } = connections({ outputLimit: 10 ** 8 }).connect()
    const width = encoder.encode(character).length
    const counts = new Set([0, 1])
    for (const around of [
      ...BYTES.map((bytes) => bytes / width),
      ...BYTES,
      ...UNITS.map((n) => n / character.length),
    ]) {
      for (const more of [-1, 0, 1]) counts.add(Math.max(0, Math.floor(around) + more))
    }
    for (const count of counts) {
      for (const text of [character.repeat(count), `${'x'.repeat(count % 3)}${character.repeat(count)}`]) {
        peer.send(text)
        peer.send('after')
        await settle()
        const { frames, rest } = whole(wire.output)
        assert.equal(rest, 0)
        assert.ok(frames[0]?.equals(encoder.encode(text)), `${count} times ${JSON.stringify(character)}`)
        assert.equal(frames[1]?.toString(), 'after')
        wire.output = Buffer.alloc(0)
      }
    }
    peer.terminate()
  })
}

test('mixed strings', async () => {
  const random = new Random(seed)
  const { peer, wire } = connections({}).connect()
  for (let round = 0; round < 200; round++) {
    const length = random.pick([10, 42, 63, 125, 1365, 4096, 4097, 21_845])
    const wide = random.pick([0, 0.01, 0.5, 1])
    const pieces = Array.from({ length }, () => (random.chance(wide) ? random.pick(kinds)[1] : 'x'))
    const text = pieces.join('').slice(0, length)
    peer.send(text)
    await settle()
    const { events, violation } = parseReference(wire.output, { masked: false, limit: 10 ** 6 })
    assert.equal(violation, undefined)
    assert.equal(events[0]?.opcode, TEXT)
    assert.ok(events[0].payload.equals(encoder.encode(text)), `SEED=${seed} round ${round}`)
    wire.output = Buffer.alloc(0)
  }
})

test('strings that V8 keeps in other ways: ropes, slices, external ones', async () => {
  const { peer, wire } = connections({}).connect()
  let rope = ''
  for (let n = 0; n < 5000; n++) rope += n % 7 === 0 ? 'é' : 'x'
  const slice = `${'→'.repeat(3000)}${'y'.repeat(9000)}`.slice(1000, 9000)
  for (const text of [rope, slice, Buffer.alloc(2 ** 20, 'z').toString('latin1'), Buffer.alloc(200, 'é').toString()]) {
    peer.send(text)
    await settle()
    assert.ok(whole(wire.output).frames[0]?.equals(encoder.encode(text)))
    wire.output = Buffer.alloc(0)
  }
})

/** The payloads of whole frames; the reference parser takes too long for all of these. */
function whole(output: Buffer): { frames: Buffer[]; rest: number } {
  const frames: Buffer[] = []
  let at = 0
  while (at < output.length) {
    assert.equal(output[at], 0x80 | TEXT)
    const short = output[at + 1] ?? 0
    const extended = short < 126 ? 0 : short === 126 ? 2 : 8
    const length =
      extended === 0 ? short : extended === 2 ? output.readUInt16BE(at + 2) : Number(output.readBigUInt64BE(at + 2))
    if (extended === 2) assert.ok(length >= 126)
    if (extended === 8) assert.ok(length >= 65_536)
    at += 2 + extended
    frames.push(output.subarray(at, at + length))
    at += length
  }
  return { frames, rest: output.length - at }
}
