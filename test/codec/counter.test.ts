// The load client trusts the counter: a message too many or too few would be a wrong measurement, and an answer that is
// not what was sent would be called an echo. It must say of every stream what the reader says that reads every byte.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { FIN } from '../../src/codec/wasm.generated.js'
import { BINARY, buildFrame, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { parseReference } from '../support/referenceParser.js'
import { Counted, type Wanted } from './counterHarness.js'

const heap = heapOfThread()

function counted(stream: Uint8Array, cuts: readonly number[] = [], wanted?: Wanted): Counted {
  const one = new Counted(heap, wanted).begin().feed(stream, cuts)
  one.free()
  return one
}

/** Messages in fragments with control frames between them; with a little luck, one of the frames is wrong. */
function randomStream(random: Random, messages: number, lengths: readonly number[], wrong: number): Buffer {
  const frames: Buffer[] = []
  const control = (): void => {
    const payload = random.bytes(random.pick([0, 1, 125]))
    if (random.chance(0.3)) frames.push(buildFrame({ opcode: random.pick([PING, PONG, CLOSE]), payload }))
  }
  for (let message = 0; message < messages; message++) {
    const fragments = random.pick([1, 1, 1, 2, 4])
    for (let n = 0; n < fragments; n++) {
      const right = { opcode: n === 0 ? BINARY : CONTINUATION, fin: n === fragments - 1 }
      const payload = random.bytes(random.pick(lengths))
      if (!random.chance(wrong)) frames.push(buildFrame({ ...right, payload }))
      else {
        const opcode = random.pick([right.opcode, 0, 1, 2, 3, 8, 9, 11, 15])
        const reserved = random.pick([0, 0, 1, 4, 7])
        const key = random.chance(0.2) ? Buffer.of(1, 2, 3, 4) : undefined
        const form = payload.length < 126 ? random.pick([7, 16, 64] as const) : 64
        frames.push(buildFrame({ opcode, fin: random.chance(0.5), payload, reserved, key, form }))
      }
      control()
    }
  }
  return Buffer.concat(frames)
}

/** Everything that is said of a stream, by the counter in pieces and by the reader. */
function compare(stream: Buffer, cuts: readonly number[], about: string): void {
  const { events, violation } = parseReference(stream, { masked: false, limit: 2 ** 40 })
  const { answers, controls, problem } = counted(stream, cuts)
  const messages = events.filter(({ opcode }) => opcode < CLOSE)
  const controlled = events.filter(({ opcode }) => opcode >= CLOSE).map(({ opcode, payload }) => ({ opcode, payload }))
  assert.deepEqual(
    { answers, controls, problem },
    { answers: messages.length, controls: controlled, problem: violation },
    about,
  )
}

describe('the counter', () => {
  it('says what the reader says, at every split of short streams', () => {
    for (let from = seed; from < seed + 150; from++) {
      const stream = randomStream(new Random(from), 2, [0, 1, 2, 7, 125, 126], from % 2 === 0 ? 0 : 0.2)
      compare(stream, [], `SEED=${from}`)
      for (let cut = 1; cut < stream.length; cut++) compare(stream, [cut], `SEED=${from}, cut at ${cut}`)
      compare(
        stream,
        Array.from({ length: stream.length - 1 }, (_, at) => at + 1),
        `SEED=${from}, byte by byte`,
      )
    }
  })

  it('says it of long messages, too', () => {
    for (let from = seed; from < seed + 20; from++) {
      const random = new Random(from)
      const stream = randomStream(random, 3, [0, 125, 126, 65_535, 65_536, 80_000], 0.05)
      const cuts: number[] = []
      for (let at = 1; at < stream.length; at += random.between(1, 30_000)) cuts.push(at)
      compare(stream, cuts, `SEED=${from}`)
    }
  })

  it('tells control frames with their payloads, and goes on behind them', () => {
    const payload = Buffer.from(Array.from({ length: 125 }, (_, at) => at))
    const stream = Buffer.concat([
      buildFrame({ opcode: BINARY, fin: false, payload: 'a' }),
      buildFrame({ opcode: PING, payload }),
      buildFrame({ opcode: CONTINUATION, payload: 'b' }),
      buildFrame({ opcode: CLOSE, payload: '\x03\xe8' }),
    ])
    for (let cut = 0; cut <= stream.length; cut++) {
      const { answers, controls } = counted(stream, [cut], { first: FIN | BINARY, length: 2 })
      assert.equal(answers, 1)
      assert.deepEqual(
        controls.map(({ opcode }) => opcode),
        [PING, CLOSE],
      )
      assert.deepEqual(controls[0]?.payload, payload)
    }
  })
})

describe('greetings', () => {
  const hello = buildFrame({ opcode: TEXT, payload: 'hello' })
  const ping = buildFrame({ opcode: PING, payload: 'are you there?' })
  const answer = buildFrame({ opcode: BINARY, payload: 'echo' })
  const wanted: Wanted = { first: FIN | BINARY, length: 4 }

  it('are all messages that begin before the first is sent, whatever they are', () => {
    const before = Buffer.concat([hello, ping, hello])
    for (let cut = 0; cut <= before.length; cut++) {
      const one = new Counted(heap, wanted).feed(before.subarray(0, cut)).begin()
      one.feed(before.subarray(cut))
      const begun = cut === 0 ? 0 : cut <= hello.length + ping.length ? 1 : 2
      if (begun === 2) one.feed(answer)
      const { greetings, answers, problem } = one
      assert.equal(greetings, begun, `cut at ${cut}`)
      // What begins afterwards is an answer, and this is none.
      assert.equal(problem, begun === 2 ? undefined : 'LENGTH', `cut at ${cut}`)
      assert.equal(answers, begun === 2 ? 1 : 0)
      one.free()
    }
  })

  it('keep to the rules as answers do', () => {
    const one = new Counted(heap, wanted).feed(buildFrame({ opcode: TEXT, payload: 'hello', reserved: 4 }))
    assert.equal(one.problem, 'RESERVED_BITS')
    one.free()
  })

  it('may be cut between fragments: the rest is none', () => {
    const first = buildFrame({ opcode: TEXT, fin: false, payload: 'hel' })
    const rest = Buffer.concat([buildFrame({ opcode: CONTINUATION, payload: 'lo, and welcome' }), answer])
    const one = new Counted(heap, wanted).feed(first).begin().feed(rest)
    assert.deepEqual([one.greetings, one.answers, one.problem], [1, 1, undefined])
    one.free()
  })
})

describe('an answer', () => {
  const sent = new Random(seed).bytes(300)
  const memory = heap.allocate(sent.length)
  heap.codec.write(memory.pointer, sent)
  const exactly: Wanted = { first: FIN | BINARY, length: 300 }
  const verified: Wanted = { ...exactly, expected: memory.pointer }

  /** As one frame, or in fragments. */
  function frames(payload: Buffer, opcode: number, pieces: number): Buffer {
    const length = Math.ceil(payload.length / pieces)
    return Buffer.concat(
      Array.from({ length: pieces }, (_, at) =>
        buildFrame({
          opcode: at === 0 ? opcode : CONTINUATION,
          fin: at === pieces - 1,
          payload: payload.subarray(at * length, (at + 1) * length),
        }),
      ),
    )
  }

  it('is what was sent, in one frame or in many', () => {
    for (const pieces of [1, 2, 7, 300, 301]) {
      const stream = frames(sent, BINARY, pieces)
      for (const cuts of [[], [1], [2, 3], [150], Array.from({ length: stream.length - 1 }, (_, at) => at + 1)]) {
        const { answers, problem } = counted(Buffer.concat([stream, stream]), cuts, verified)
        assert.deepEqual([answers, problem], [2, undefined])
      }
    }
  })

  it('is looked at, also among others that are right', () => {
    const right = buildFrame({ opcode: BINARY, payload: 'echo' })
    const wanted: Wanted = { first: FIN | BINARY, length: 4 }
    for (const [wrong, problem] of [
      [buildFrame({ opcode: BINARY, payload: 'echos' }), 'LENGTH'],
      [buildFrame({ opcode: BINARY, payload: 'ech' }), 'LENGTH'],
      [buildFrame({ opcode: BINARY, payload: 'echo', reserved: 4 }), 'RESERVED_BITS'],
      [buildFrame({ opcode: BINARY, payload: 'echo', key: Buffer.alloc(4) }), 'MASK_FORBIDDEN'],
      [buildFrame({ opcode: CONTINUATION, payload: 'echo' }), 'CONTINUATION_UNEXPECTED'],
    ] as const) {
      const stream = Buffer.concat([right, right, right, wrong, right])
      for (let cut = 0; cut < stream.length; cut++) {
        const one = counted(stream, [cut], wanted)
        assert.deepEqual([one.answers, one.problem], [3, problem])
      }
    }
    const hello = buildFrame({ opcode: BINARY, payload: 'hello' })
    const one = new Counted(heap, wanted).feed(Buffer.concat([hello, hello])).begin()
    one.feed(Buffer.concat([right, right, hello]))
    assert.deepEqual([one.greetings, one.answers, one.problem], [2, 2, 'LENGTH'])
    one.free()
  })

  it('of another length ends at the header that tells so', () => {
    for (const wanted of [exactly, verified]) {
      for (const length of [0, 1, 299, 301, 5000, 2 ** 40]) {
        const header = buildFrame({ opcode: BINARY, announced: BigInt(length) })
        for (let cut = 0; cut < header.length; cut++) {
          const { answers, problem, announced } = counted(header, [cut], wanted)
          assert.deepEqual([answers, problem, announced], [0, 'LENGTH', length])
        }
      }
      for (const length of [299, 301]) {
        const stream = frames(Buffer.concat([sent, sent]).subarray(0, length), BINARY, 5)
        const { answers, problem, announced } = counted(stream, [], wanted)
        assert.deepEqual([answers, problem, announced], [0, 'LENGTH', length])
      }
    }
  })

  it('with another byte is told, with its place', () => {
    for (let at = 0; at < sent.length; at++) {
      const wrong = Buffer.from(sent)
      wrong[at] = (wrong[at] ?? 0) ^ 0x80
      for (const [pieces, cut] of [
        [1, 0],
        [1, 100],
        [3, 151],
      ] as const) {
        const { answers, problem, announced } = counted(frames(wrong, BINARY, pieces), [cut], verified)
        assert.deepEqual([answers, problem, announced], [0, 'DIFFERENT', at])
      }
      assert.equal(counted(frames(wrong, BINARY, 1), [], exactly).answers, 1)
    }
  })

  it('of another kind is told where answers are compared', () => {
    const stream = frames(sent, TEXT, 2)
    assert.deepEqual(
      [counted(stream, [], verified).problem, counted(stream, [], exactly).problem],
      ['DIFFERENT', undefined],
    )
  })

  it('that is compressed may have another length, where that was agreed', () => {
    const compressed = (length: number, reserved: number): Buffer =>
      buildFrame({ opcode: TEXT, payload: Buffer.alloc(length), reserved })
    const agreed: Wanted = { ...exactly, first: 0xc1, compressed: 1000 }
    for (const [length, reserved, problem] of [
      [1, 4, undefined],
      [1000, 4, undefined],
      [300, 0, undefined],
      [0, 4, 'LENGTH'],
      [1001, 4, 'LENGTH'],
      [299, 0, 'LENGTH'],
      [20, 2, 'RESERVED_BITS'],
      [20, 6, 'RESERVED_BITS'],
    ] as const) {
      const what = counted(compressed(length, reserved), [1, 3], agreed)
      assert.equal(what.problem, problem, `${length}, ${reserved}`)
      const { shown, ends } = what
      assert.deepEqual({ shown, ends }, problem === undefined ? { shown: length, ends: 1 } : { shown: 0, ends: 0 })
    }
    assert.equal(counted(compressed(20, 4), [], exactly).problem, 'RESERVED_BITS')
    const begun = buildFrame({ opcode: TEXT, fin: false, payload: 'x', reserved: 4 })
    const rest = buildFrame({ opcode: CONTINUATION, payload: 'x', reserved: 4 })
    assert.equal(counted(Buffer.concat([begun, rest]), [], agreed).problem, 'RESERVED_BITS')
    assert.equal(counted(buildFrame({ opcode: PING, reserved: 4 }), [], agreed).problem, 'RESERVED_BITS')
  })
})
