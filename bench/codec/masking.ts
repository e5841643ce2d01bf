// Unmasking what clients send, and masking what a client sends: millrace's WASM SIMD against bufferutil and a loop.
import { Buffer } from 'node:buffer'
import { allocate, codec, KEY, KEY_WORD, payload, stored } from './material.js'
import { byTier, type Measured, type Step, way } from './measure.js'
import { bufferutil, plainMasking } from './peers.js'

export const unmaskStep: Step = byTier(
  {
    name: 'unmask',
    operation: 'one payload, in place',
    note:
      'All three XOR in place, each in memory of its own. XOR undoes itself, so every second pass restores the payload ' +
      'and no copy is timed. millrace also tells whether a byte is 0x80 or more (ASCII), which the peers do not.',
  },
  unmaskCase,
)

export const maskStep: Step = byTier(
  {
    name: 'mask',
    operation: 'one payload, from one place to another',
    note: 'What a client does with each message: the source stays as it is. All three write to a buffer that is reused.',
  },
  maskCase,
)

function unmaskCase(length: number): Measured {
  const bytes = payload('binary', length)
  const pointer = stored(bytes)
  const [forAddon, forLoop] = [Buffer.from(bytes), Buffer.from(bytes)]
  const { call } = codec
  return {
    ways: [
      way('millrace', () => call.mask(pointer, pointer, length, KEY_WORD), true),
      way('bufferutil', () => bufferutil.unmask(forAddon, KEY)),
      way('JavaScript loop', () => plainMasking.unmask(forLoop, KEY)),
    ],
  }
}

function maskCase(length: number): Measured {
  const bytes = payload('binary', length)
  const source = stored(bytes)
  const target = allocate(length)
  const output = Buffer.alloc(length)
  const { call } = codec
  return {
    ways: [
      way('millrace', () => call.mask(target, source, length, KEY_WORD), true),
      way('bufferutil', () => bufferutil.mask(bytes, KEY, output, 0, length)),
      way('JavaScript loop', () => plainMasking.mask(bytes, KEY, output, 0, length)),
    ],
  }
}
