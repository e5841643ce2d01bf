// What an acceptor's own listener has heard is in the history of all acceptors, and survives its death; what it has not heard may be
// lost, and then nobody else has seen it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Topics } from '../../src/topics/topics.js'
import { Random, seed } from '../support/random.js'
import { eventually } from '../support/socketClient.js'
import { clusterOfTopics, toldPosition } from './clusterOfTopics.js'

const ROUNDS = 20
const options = { timeout: 30_000 }

test(
  `what a publisher has heard itself survives its death, and nobody has seen more (SEED=${seed})`,
  options,
  async (t) => {
    const random = new Random(seed)
    const { hub, start } = clusterOfTopics(t, { history: {} })
    const other = await start()
    const live = other.connect()
    let after = toldPosition(await live.peer.subscribe('news', {}))
    let lost = 0
    for (let round = 0; round < ROUNDS; round++) {
      const publisher = await start()
      const { topics } = publisher.place.shared
      assert.ok(topics instanceof Topics)
      const heard: string[] = []
      topics.listen('news', ({ data }) => heard.push(String(data)))
      const seenBefore = live.wire.texts().length
      let published = 0
      for (let turns = random.below(30); turns >= 0; turns--) {
        for (let count = random.below(5); count >= 0; count--) publisher.publish('news', `${round}.${published++}`)
        await turn()
      }
      publisher.publish('news', `${round}.${published++}`)
      publisher.die() // the last ones have not left it
      const safe = [...heard]
      await eventually(() => hub.statistics.links === 1, 'the hub has read all that has come')
      const end = `${round}: end` // that of the round before has arrived already
      other.publish('news', end)
      await eventually(() => live.wire.texts().at(-1) === end, 'and all of it has arrived')
      const back = other.connect()
      const resumption = await back.peer.subscribe('news', { after })
      assert.equal(resumption.resumed, true)
      after = toldPosition(resumption)
      const seen = live.wire.texts().slice(seenBefore, -1)
      assert.deepEqual(seen.slice(0, safe.length), safe, 'what was heard is not lost')
      assert.deepEqual(
        seen,
        Array.from({ length: seen.length }, (_, at) => `${round}.${at}`),
        'without holes',
      )
      assert.deepEqual(back.wire.texts(), [...seen, end], 'who comes back has what the others have')
      lost += published - seen.length
      back.peer.terminate()
    }
    assert.ok(lost >= ROUNDS, 'what had not left is lost')
  },
)
