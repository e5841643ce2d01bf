// The differential fuzz of deflateAgreement.test.ts for as many messages as one has the patience for:
//
//   node dist/test/codec/tenMillionProgram.js [MESSAGES] [SEED]
//
// Each message is deflated here and inflated by zlib, and deflated by zlib and inflated here: with every window, level,
// strategy and length of blocks, with context takeover and without, cut at random, of every kind of bytes.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { constants } from 'node:zlib'
import { Random } from '../support/random.js'
import { type Cuts, Deflating, Inflating, ZlibDeflating, ZlibInflating } from './compressing.js'
import { jsonDocument, words } from './documents.js'

const MESSAGES = Number(process.argv[2] ?? 10_000_000)
const SEED = Number(process.argv[3] ?? Date.now() % 2 ** 32)
const CORPUS = 65_536
const { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants
const STRATEGIES = [Z_DEFAULT_STRATEGY, Z_DEFAULT_STRATEGY, Z_FILTERED, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE]

/** Texts from which messages are cut, so that to make them does not take longer than to compress them. */
function corpora(random: Random): ReadonlyMap<string, Buffer> {
  const noise = random.bytes(CORPUS)
  const mixed = Buffer.from(noise)
  for (let at = 0; at < CORPUS; at += 97) mixed.copy(mixed, at, at >> 1, (at >> 1) + 60)
  return new Map([
    ['incompressible', noise],
    ['repetitive', Buffer.alloc(CORPUS, random.bytes(random.pick([1, 2, 3, 5, 8, 15, 16, 17, 31, 258, 300, 5000])))],
    ['JSON', jsonDocument(random, CORPUS)],
    ['text', words(random, CORPUS)],
    ['skewed', Buffer.from(Array.from({ length: CORPUS }, () => random.below(1 + random.below(256))))],
    ['noise with repetitions', mixed],
  ])
}

const counts = new Map<string, number>()
const levels = new Set<number>()
const windows = new Set<number>()
let [messages, connections, bytes, wireOurs, wireZlib] = [0, 0, 0, 0, 0]

function cutsFor(random: Random, length: number): Cuts {
  if (random.chance(0.6) || length > 20_000) return { input: (left) => left, room: () => length + 64 }
  const most = random.pick([1, 3, 20, 300])
  return { input: (left) => Math.min(left, random.between(1, most)), room: () => random.between(1, 400) }
}

function message(random: Random, kinds: ReadonlyMap<string, Buffer>): Buffer {
  const [kind, corpus] = random.pick([...kinds])
  counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const longest = random.pick([4, 40, 40, 130, 130, 300, 300, 1200, random.chance(0.1) ? 30_000 : 600])
  const length = random.below(longest + 1)
  const from = random.below(random.chance(0.3) ? 300 : corpus.length - length)
  return corpus.subarray(from, from + length)
}

function connection(random: Random, kinds: ReadonlyMap<string, Buffer>, name: string): void {
  const windowBits = random.between(8, 15)
  const zlibBits = Math.max(windowBits, 9) // zlib deflates with no smaller one
  const takeover = random.chance(0.7)
  const level = random.between(0, 9)
  const strategy = random.pick(STRATEGIES)
  const ours = [new Deflating(windowBits, takeover), new Inflating(zlibBits, takeover)] as const
  const zlib = [
    new ZlibInflating(windowBits, takeover),
    new ZlibDeflating(level, zlibBits, takeover, strategy, random.between(1, 9)),
  ] as const
  levels.add(level)
  windows.add(windowBits)
  for (let at = random.between(50, 300); at > 0; at--) {
    const data = message(random, kinds)
    const what = `${name}, ${data.length} bytes, window of 2^${windowBits}, level ${level}`
    const cuts = random.chance(0.5) ? undefined : cutsFor(random, data.length)
    const roomy = cuts && { input: cuts.input, room: () => random.between(128, 2000) }
    const out = ours[0].message(data, roomy)
    assert.ok(zlib[0].message(out).equals(data), `${what}: zlib inflates it to something else`)
    const cut = random.below(data.length + 1)
    const pieces = random.chance(0.1) ? [data.subarray(0, cut), data.subarray(cut)] : [data]
    const back = zlib[1].flushed(pieces)
    const got = ours[1].message(back, cutsFor(random, data.length), random.chance(0.5))
    assert.ok(typeof got !== 'string' && got.equals(data), `${what}: it is inflated to something else`)
    messages++
    bytes += data.length
    wireOurs += out.length
    wireZlib += back.length
  }
  for (const end of [...ours, ...zlib]) end.free()
  connections++
}

function report(): void {
  const kinds = [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')
  console.log(
    `${messages} messages of ${connections} connections agree both ways, SEED=${SEED}: ${bytes} bytes, ${wireOurs} ` +
      `deflated here, ${wireZlib} by zlib; windows ${[...windows].sort((a, b) => a - b)}, levels ${[...levels].sort()}; ${kinds}`,
  )
}

console.log(`SEED=${SEED}`)
let kinds = corpora(new Random(SEED))
let told = 0
for (let round = 0; messages < MESSAGES; round++) {
  const random = new Random(SEED + round)
  if (round % 500 === 499) kinds = corpora(random)
  connection(random, kinds, `SEED=${SEED}, round ${round}`)
  await turn() // zlib gives its memory back in a turn of its own
  if (messages - told >= 500_000) {
    told = messages
    report()
  }
}
if (messages > told) report()
