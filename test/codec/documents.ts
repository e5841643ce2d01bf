// What is compressed in tests: random bytes, repetitions, JSON, text, and what lies between.
import type { Random } from '../support/random.js'

const WORDS = ['order', 'pending', 'shipped', 'Berlin', 'Zürich', 'Lyon', 'express', 'gift', 'blue', 'green', 'large']

/** A JSON document of about `length` bytes, as servers send them. */
export function jsonDocument(random: Random, length: number): Buffer {
  const parts = [
    `{"id":${random.below(1e6)},"customer":"customer-${random.below(1e4)}","status":"${random.pick(WORDS)}"`,
  ]
  let total = 60
  while (total < length) {
    const item = `{"sku":"SKU-${random.below(1e5)}","quantity":${random.below(20)},"price":${random.below(1e5) / 100},"note":"${random.pick(WORDS)}"}`
    parts.push(item)
    total += item.length + 1
  }
  return Buffer.from(`${parts.join(',')}}`)
}

export function words(random: Random, length: number): Buffer {
  let text = ''
  while (text.length < length) text += `${random.pick(WORDS)}${random.pick([' ', ' ', ', ', '. ', '\n'])}`
  return Buffer.from(text)
}

function skewed(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(1 + random.below(256))))
}

/** A message of any kind, of up to `longest` bytes or little more. */
export function randomMessage(random: Random, longest: number): Buffer {
  const length = random.below(random.chance(0.5) ? Math.min(longest, 200) : longest)
  switch (random.below(7)) {
    case 0:
      return random.bytes(length)
    case 1:
      return Buffer.alloc(length, random.bytes(random.pick([1, 2, 3, 7, 9, 15, 17, 300])))
    case 2:
      return words(random, length)
    case 3:
      return skewed(random, length)
    case 4:
      return Buffer.concat([random.bytes(length >> 1), Buffer.alloc(length >> 1)])
    case 5:
      return Buffer.alloc(random.chance(0.3) ? 0 : random.below(4), 'abc')
    default:
      return jsonDocument(random, length)
  }
}
