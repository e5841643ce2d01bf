// A parser whose connection is over: what is asked of it changes nothing of the one that has its memory now.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { isMark } from '../../src/codec/frames.js'
import { Parser } from '../../src/codec/parser.js'
import { BINARY, CONTINUATION, masked } from '../support/frames.js'

const LIMITS = { longest: 1000, fragments: 0 }

describe('a parser that is freed', () => {
  it('marks no frames of the parser that takes its place', () => {
    const heap = heapOfThread()
    const frames = Buffer.concat([masked(BINARY, '', false), masked(CONTINUATION, '', false), masked(CONTINUATION, '')])
    const block = heap.allocate(frames.length)
    const marksOf = (parser: Parser): number => {
      heap.codec.bytes.set(frames, block.pointer)
      parser.parse(block.pointer, block.pointer + frames.length)
      return Array.from({ length: parser.count }, (_, at) => parser.info(at)).filter(isMark).length
    }
    const freed = Array.from({ length: 8 }, () => new Parser(heap, 'server', LIMITS))
    for (const parser of freed) parser.free()
    const parsers = Array.from({ length: 8 }, () => new Parser(heap, 'server', LIMITS))
    for (const parser of freed) parser.markFrames()
    for (const parser of parsers) assert.equal(marksOf(parser), 0)
    for (const parser of parsers) {
      parser.markFrames()
      assert.equal(marksOf(parser), 2, 'it does not mark its own')
      parser.free()
    }
    heap.free(block)
  })
})
