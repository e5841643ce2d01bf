// Whether the codec says of a stream exactly what the reference parser says, after every read of it.
import assert from 'node:assert/strict'
import type { ReferenceEvent, ReferenceParser, Rules } from '../support/referenceParser.js'
import { parseReference } from '../support/referenceParser.js'
import { type CodecEvent, CodecParser } from './codecParser.js'

const LONGEST_SHOWN = 400

/** One stream, and what the reference parser says of it. */
export class Agreement {
  readonly expected: ReferenceParser
  readonly #stream: Buffer
  readonly #rules: Rules
  readonly #about: string

  /** `about` tells in a failure where the stream comes from. */
  constructor(stream: Buffer, rules: Rules, about: string) {
    this.expected = parseReference(stream, rules)
    this.#stream = stream
    this.#rules = rules
    this.#about = about
  }

  /** Feeds the stream to the codec in pieces that end at `cuts`, and compares after each piece. */
  check(cuts: readonly number[]): void {
    const parser = new CodecParser(this.#rules)
    let seen = 0
    let from = 0
    try {
      for (const to of [...cuts, this.#stream.length]) {
        parser.feed(this.#stream.subarray(from, to))
        seen = this.#checkEvents(parser, seen, to)
        if (parser.violation !== undefined) break
        from = to
      }
      parser.close()
    } catch (error) {
      throw new Error(this.#describe(cuts), { cause: error })
    }
  }

  /** Every place where one read can end and the next begin, and every byte in a read of its own. */
  checkEverySplit(): void {
    const everywhere = Array.from({ length: this.#stream.length }, (_, at) => at)
    this.check([])
    this.check(everywhere)
    for (const cut of everywhere) this.check([cut])
  }

  /** After `to` bytes: the same events as the reference, and the same violation or none. */
  #checkEvents(parser: CodecParser, seen: number, to: number): number {
    const { events, violation, taken } = this.expected
    let next = seen
    for (let event = events[next]; event !== undefined && event.end <= to; event = events[++next]) {
      checkEvent(parser.events[next], event)
    }
    assert.equal(parser.events.length, next, `after ${to} bytes the codec has too many events`)
    assert.equal(parser.violation, taken <= to ? violation : undefined, `the violation after ${to} bytes`)
    return next
  }

  #describe(cuts: readonly number[]): string {
    const side = this.#rules.masked ? 'a server' : 'a client'
    const bytes = this.#stream.subarray(0, LONGEST_SHOWN).toString('hex')
    const more = this.#stream.length > LONGEST_SHOWN ? `… (${this.#stream.length} bytes)` : ''
    return `${this.#about}: ${side}, limit ${this.#rules.limit}, fragments ${this.#rules.fragments}, compressed ${this.#rules.compressed}, cut at [${cuts.slice(0, LONGEST_SHOWN)}], ${bytes}${more}`
  }
}

function checkEvent(actual: CodecEvent | undefined, expected: ReferenceEvent): void {
  assert.ok(actual !== undefined, `the codec lacks an event of opcode ${expected.opcode} after ${expected.end} bytes`)
  assert.equal(actual.opcode, expected.opcode, 'opcode')
  assert.equal(actual.ascii, expected.ascii, 'ascii flag')
  assert.equal(actual.compressed, expected.compressed, 'compressed flag')
  if (!actual.payload.equals(expected.payload)) assert.deepEqual(actual.payload, expected.payload)
}
