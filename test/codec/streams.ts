// Random streams of bytes as a peer might send them: lawful, with single wrong frames, mutated, or pure noise.
import { BINARY, buildFrame, CLOSE, CONTINUATION, type FrameParts, PING, PONG, TEXT } from '../support/frames.js'
import type { Random } from '../support/random.js'
import type { Rules } from '../support/referenceParser.js'

export interface Stream {
  readonly bytes: Buffer
  readonly rules: Rules
}

const CONTROLS = [CLOSE, PING, PONG] as const
const LIMITS = [5, 100, 1000, 70_000, 2 ** 53 - 1] as const
const GENEROUS = 16 * 1024 * 1024

/** The lengths at which a tier of the header, a SIMD block, a stride of the text loop or what stays in place ends. */
const EDGES = [15, 16, 17, 63, 64, 65, 125, 126, 127, 8191, 8192, 8193, 32_768, 32_769, 65_535, 65_536] as const
/** Characters of every length, among them the first and last of each, and the neighbours of what is forbidden. */
const CHARACTERS = [
  0x0a, 0x41, 0x7f, 0x80, 0xe9, 0x7ff, 0x800, 0x20ac, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x1f680, 0x10ffff,
].map((codePoint) => String.fromCodePoint(codePoint))
/** Those of up to two bytes, of up to three, and all: the codec has a loop for each. */
const KINDS = [2, 3, 4].map((bytes) => CHARACTERS.filter((character) => Buffer.byteLength(character) <= bytes))

/** Bytes that mean something at the start of a frame. */
const NOTEWORTHY = [
  0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x41, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0x8b, 0xc1, 0xc2,
  0xc9,
] as const
const NOTEWORTHY_MASKED = [0x80, 0x81, 0x82, 0x85, 0xfd, 0xfe, 0xff] as const

/** A stream whose payloads are at most `longest` bytes, of at most `frames` frames. */
export function randomStream(random: Random, longest: number, frames: number): Stream {
  const limit = random.chance(0.8) ? GENEROUS : random.pick(LIMITS)
  const rules = {
    masked: random.chance(0.5),
    limit,
    ...(random.chance(0.2) && { fragments: random.between(1, 4) }),
    compressed: random.chance(0.4),
  }
  const kind = random.below(10)
  if (kind === 0) return { bytes: noise(random, random.below(40)), rules }
  const bytes = Buffer.concat(frameSequence(random, rules, longest, random.between(1, frames), kind < 6 ? 0.1 : 0))
  return { bytes: kind < 3 ? mutate(random, bytes) : bytes, rules }
}

/** Frames that obey the rules, but for a `wrong` share of them. */
function frameSequence(random: Random, rules: Rules, longest: number, frames: number, wrong: number): Buffer[] {
  const sequence: Buffer[] = []
  while (sequence.length < frames) {
    const text = random.chance(0.6)
    const compressed = rules.compressed === true && random.chance(0.5)
    const payload = text && !compressed ? randomText(random, longest) : random.bytes(randomLength(random, longest))
    const fragments = random.chance(0.6) ? 1 : random.between(1, 5)
    const cuts = Array.from({ length: fragments - 1 }, () => random.between(0, payload.length)).sort((a, b) => a - b)
    for (let at = 0, from = 0; at < fragments; at++) {
      const to = cuts[at] ?? payload.length
      const opcode = at > 0 ? CONTINUATION : text ? TEXT : BINARY
      const reserved = compressed && at === 0 ? 4 : 0
      const fin = at === fragments - 1
      const parts = { opcode, reserved, payload: payload.subarray(from, to), fin, key: key(random, rules) }
      sequence.push(buildFrame(random.chance(wrong) ? spoil(random, parts) : parts))
      from = to
      if (random.chance(0.2)) sequence.push(controlFrame(random, rules, wrong))
    }
  }
  return sequence
}

function controlFrame(random: Random, rules: Rules, wrong: number): Buffer {
  const payload = random.bytes(random.chance(0.8) ? random.below(20) : random.between(0, 125))
  const parts = { opcode: random.pick(CONTROLS), payload, key: key(random, rules) }
  return buildFrame(random.chance(wrong) ? spoil(random, parts) : parts)
}

function key(random: Random, { masked }: Rules): Buffer | undefined {
  return masked ? random.bytes(4) : undefined
}

/** The same frame with one thing wrong (or, now and then, still right). */
function spoil(random: Random, parts: FrameParts): FrameParts {
  const spoiled: readonly Partial<FrameParts>[] = [
    { reserved: random.between(1, 7) },
    { opcode: random.below(16) },
    { opcode: random.pick([CONTINUATION, TEXT, BINARY]) },
    { fin: parts.fin === false },
    { key: parts.key === undefined ? random.bytes(4) : undefined },
    { payload: random.bytes(random.between(120, 140)) },
    { form: 16, announced: BigInt(random.between(120, 130)) },
    { form: 64, announced: BigInt(random.between(65_530, 65_540)) },
    { form: 64, announced: 2n ** BigInt(random.between(31, 63)) - BigInt(random.below(2)) },
    { form: 64, announced: 2n ** 63n + BigInt(random.below(65_536)) },
  ]
  return { ...parts, ...random.pick(spoiled) }
}

/** Text, valid nine times out of ten. */
export function randomText(random: Random, longest: number): Buffer {
  const length = randomLength(random, longest)
  const wide = random.pick([0, 0.01, 0.5, 1])
  const characters = random.pick(KINDS)
  const pieces: string[] = []
  for (let at = 0; at < length; at++) pieces.push(random.chance(wide) ? random.pick(characters) : 'x')
  const text = Buffer.from(pieces.join('')).subarray(0, random.chance(0.95) ? undefined : length)
  if (text.length > 0 && random.chance(0.07)) text[random.below(text.length)] = random.next()
  return text
}

function randomLength(random: Random, longest: number): number {
  const kind = random.below(10)
  if (kind < 5) return random.below(Math.min(20, longest))
  if (kind < 8) return random.below(Math.min(300, longest))
  return kind === 8 ? Math.min(random.pick(EDGES), longest) : random.below(longest)
}

function mutate(random: Random, bytes: Buffer): Buffer {
  let mutated = bytes
  for (let edits = random.between(1, 4); edits > 0; edits--) mutated = edit(random, mutated)
  return mutated
}

/** Flips a bit, puts a noteworthy byte, removes bytes or repeats some. */
function edit(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length)
  const before = bytes.subarray(0, at)
  const after = bytes.subarray(at + 1)
  switch (random.below(4)) {
    case 0:
      return Buffer.concat([before, Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8))), after])
    case 1:
      return Buffer.concat([before, Buffer.of(random.pick(NOTEWORTHY)), after])
    case 2:
      return Buffer.concat([before, after.subarray(random.below(4))])
    default:
      return Buffer.concat([before, bytes.subarray(Math.max(0, at - random.below(8)))])
  }
}

function noise(random: Random, length: number): Buffer {
  if (random.chance(0.3)) return random.bytes(length)
  const bytes = Array.from({ length }, () => random.pick(random.chance(0.5) ? NOTEWORTHY : NOTEWORTHY_MASKED))
  return Buffer.from(bytes)
}

/** Where reads end: at the end only, every few bytes, or at random places. */
export function randomCuts(random: Random, length: number): number[] {
  const kind = random.below(4)
  if (kind === 0) return []
  const stride = kind === 1 ? 8 : random.between(2, Math.max(2, length))
  const cuts: number[] = []
  for (let at = random.below(stride); at < length; at += random.between(1, stride)) cuts.push(at)
  return cuts
}
