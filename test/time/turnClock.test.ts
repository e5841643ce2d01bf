// Who of several with much to read or to be written has much of a turn of the event loop.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TurnClock } from '../../src/time/turnClock.js'

/** Passes the time after which a turn is crowded. */
function work(): void {
  const until = performance.now() + 1
  while (performance.now() < until);
}

/** They ask, and much work is done meanwhile. */
function* busy<Peer>(peers: readonly Peer[]): Iterable<Peer> {
  for (const peer of peers) {
    yield peer
    work()
  }
}

const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]

describe('of several who ask in the same order in each turn', () => {
  test('each is the one that has much of a turn, in turn', () => {
    const clock = new TurnClock()
    const much: string[] = []
    for (let turn = 0; turn < 7; turn++) {
      for (const peer of busy([a, b, c])) if (!clock.crowded(peer)) much.push(peer.name)
      clock.restart()
    }
    assert.equal(much.join(''), 'abcabca')
  })

  test('one that asks no more keeps nobody from it', () => {
    const clock = new TurnClock()
    let peers = [a, b, c]
    const names: string[] = []
    for (let turn = 0; turn < 9; turn++) {
      if (turn === 4) peers = [a, c]
      for (const peer of busy(peers)) if (!clock.crowded(peer)) names.push(peer.name)
      clock.restart()
    }
    assert.equal(names.join(''), 'abcaacac', 'in one turn, nobody has much')
  })
})

test('who is alone has much of each turn, however long it takes and however often it asks', () => {
  const clock = new TurnClock()
  for (let turn = 0; turn < 3; turn++) {
    for (const peer of busy([a, a, a])) assert.equal(clock.crowded(peer), false)
    clock.restart()
  }
})

test('who is alone again has much again, a turn later at the most', () => {
  const clock = new TurnClock()
  for (const peer of busy([a, b])) clock.crowded(peer)
  clock.restart()
  const answers: boolean[] = []
  for (let turn = 0; turn < 3; turn++) {
    answers.push(clock.crowded(a))
    clock.restart()
  }
  assert.deepEqual(answers, [true, false, false])
})

test('whose turn it is, is forgotten with the turn, whoever asks later', async () => {
  const clock = new TurnClock()
  for (const peer of busy([a, b])) clock.crowded(peer)
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(clock.crowded(a), false)
})

test('those who wait go on one in a turn, in order, and have much of it; who wants none leaves it to the next', () => {
  const clock = new TurnClock()
  const told: string[] = []
  const waiting = (name: string, wants = true) => ({
    goOn: (): boolean => {
      told.push(name)
      return wants
    },
  })
  const [one, two] = [waiting('one'), waiting('two')]
  for (const peer of [one, waiting('none', false), two]) clock.wait(peer)
  assert.equal(clock.awaited, true)
  clock.restart()
  assert.deepEqual(told, ['one'])
  assert.deepEqual([clock.crowded(two), clock.crowded(one)], [true, false])
  clock.restart()
  assert.deepEqual(told, ['one', 'none', 'two'])
  assert.deepEqual([clock.crowded(one), clock.crowded(two)], [true, false])
  assert.equal(clock.awaited, false)
})

test('who waits goes on by itself, also where nobody asks for anything', async () => {
  const clock = new TurnClock()
  const told: string[] = []
  for (const name of ['one', 'two']) clock.wait({ goOn: () => told.push(name) > 0 })
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(told, ['one', 'two'])
})
