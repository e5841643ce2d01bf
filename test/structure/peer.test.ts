// Peer puts the parts of a connection together. It is the first place where a feature would be squeezed in, so it is kept
// small: what a feature decides belongs into a part.
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { codeOf, importsOf, read, sourcesIn } from './source.js'

const PEER = 'src/connection/peer.ts'

test('Peer has less than 250 lines', () => {
  const lines = read(PEER).split('\n').length - 1
  assert.ok(lines < 250, `${lines} lines`)
})

test('Peer implements two interfaces at most', () => {
  const words = codeOf(read(PEER)).map(({ text }) => text)
  const start = words.indexOf('implements')
  assert.ok(start > 0)
  const named: string[] = []
  let depth = 0
  for (const word of words.slice(start + 1, words.indexOf('{', start))) {
    if (word === '<') depth++
    else if (word === '>') depth--
    else if (depth === 0 && word !== ',') named.push(word)
  }
  assert.deepEqual(named, ['Inside', 'Receiver'])
})

test('Peer keeps no booleans of its own: its lifecycle knows how it ends', () => {
  const words = codeOf(read(PEER)).map(({ text }) => text)
  const fields = words.slice(words.indexOf('Peer'), words.indexOf('constructor'))
  assert.ok(fields.includes('Lifecycle'))
  for (const word of ['true', 'false', 'boolean']) assert.equal(fields.includes(word), false, word)
})

test('none of its parts imports it', () => {
  const parts = sourcesIn('src/connection')
  assert.ok(parts.length > 30)
  for (const part of parts) {
    const to = importsOf(read(part)).map((specifier) => posix.join(posix.dirname(part), specifier))
    assert.equal(to.includes(PEER.replace('.ts', '.js')), false, part)
  }
})
