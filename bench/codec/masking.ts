// Unmasking what clients send, and masking what a client sends: millrace's WASM SIMD against bufferutil and a loop.
import { Buffer } from 'node:buffer'
import { tiers } from '../support/tiers.js'
import { Area, codec, KEY, KEY_WORD, payload } from './material.js'
import { type Case, contender, type Suite } from './measure.js'
import { bufferutil, plainMasking } from './peers.js'

export const unmaskSuite: Suite = {
  name: 'unmask',
  operation: 'one payload, in place',
  note:
    'All three XOR in place, each in memory of its own. XOR undoes itself, so every second pass restores the payload ' +
    'and no copy is timed. millrace also tells whether a byte is 0x80 or more (ASCII), which the peers do not.',
  *cases() {
    for (const tier of tiers) yield unmaskCase(tier.label, tier.length)
  },
}

export const maskSuite: Suite = {
  name: 'mask',
  operation: 'one payload, from one place to another',
  note: 'What a client does with each message: the source stays as it is. All three write to a buffer that is reused.',
  *cases() {
    for (const tier of tiers) yield maskCase(tier.label, tier.length)
  },
}

function unmaskCase(label: string, length: number): Case {
  const bytes = payload('binary', length)
  const area = Area.of(bytes)
  const [forAddon, forLoop] = [Buffer.from(bytes), Buffer.from(bytes)]
  const { call } = codec
  const { pointer } = area
  return {
    label,
    length,
    contenders: [
      contender('millrace', () => call.mask(pointer, pointer, length, KEY_WORD), true),
      contender('bufferutil', () => bufferutil.unmask(forAddon, KEY)),
      contender('JavaScript loop', () => plainMasking.unmask(forLoop, KEY)),
    ],
    free: () => area.free(),
  }
}

function maskCase(label: string, length: number): Case {
  const bytes = payload('binary', length)
  const source = Area.of(bytes)
  const target = new Area(length)
  const output = Buffer.alloc(length)
  const { call } = codec
  return {
    label,
    length,
    contenders: [
      contender('millrace', () => call.mask(target.pointer, source.pointer, length, KEY_WORD), true),
      contender('bufferutil', () => bufferutil.mask(bytes, KEY, output, 0, length)),
      contender('JavaScript loop', () => plainMasking.mask(bytes, KEY, output, 0, length)),
    ],
    free() {
      source.free()
      target.free()
    },
  }
}
