// The functions `envelope` and `history` of an application that publish and subscribe themselves, before they answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { settle } from '../support/settle.js'

/** Numbers and payloads of what came in envelopes. */
function numbered(texts: readonly string[]): [number, string][] {
  return texts.map((text) => {
    const [header = '', payload = ''] = text.split('\n')
    const [, number = ''] = String(JSON.parse(header).position).split('.')
    return [Number.parseInt(number, 36), payload]
  })
}

/** Calls something once, later. */
function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}

test('a function envelope that publishes on the same topic: each publication has a position of its own', async () => {
  let ask = (): void => undefined
  const envelope = (): boolean => {
    ask()
    return true
  }
  const { shared, connect } = connections({ topics: { history: {}, envelope } })
  const { peer, wire } = connect()
  const { position: after = '' } = await peer.subscribe('news', {})
  ask = once(() => shared.topics.publish('news', 'inner'))
  assert.equal(shared.topics.publish('news', 'outer'), 1)
  await settle()
  const expected = [
    [1, 'inner'],
    [2, 'outer'],
  ]
  assert.deepEqual(numbered(wire.texts()), expected)
  const back = connect()
  assert.equal((await back.peer.subscribe('news', { after })).resumed, true)
  assert.deepEqual(numbered(back.wire.texts()), expected)
})

test('a function envelope that changes who subscribes: those who do when it has answered are sent the publication', async () => {
  let ask = (): void => undefined
  const envelope = (): boolean => {
    ask()
    return false
  }
  const { shared, connect } = connections({ topics: { envelope } })
  const [leaves, comes] = [connect(), connect()]
  leaves.peer.subscribe('news')
  ask = once(() => {
    leaves.peer.unsubscribe('news')
    comes.peer.subscribe('news')
  })
  assert.equal(shared.topics.publish('news', 'text'), 1)
  await settle()
  assert.deepEqual([leaves.wire.texts(), comes.wire.texts()], [[], ['text']])
})

test('a function history that publishes on the same topic: nothing is lost, and no number comes twice', async () => {
  let ask = (): void => undefined
  const history = (): object => {
    ask()
    return {}
  }
  const { shared, connect } = connections({ topics: { history, envelope: true } })
  ask = once(() => shared.topics.publish('news', 'inner'))
  shared.topics.publish('news', 'outer')
  const { peer, wire } = connect()
  const { position = '' } = await peer.subscribe('news', {})
  const [epoch] = position.split('.')
  assert.equal(position, `${epoch}.2`)
  const back = connect()
  assert.equal((await back.peer.subscribe('news', { after: `${epoch}.0` })).resumed, true)
  assert.deepEqual(numbered(back.wire.texts()), [
    [1, 'inner'],
    [2, 'outer'],
  ])
  assert.deepEqual(wire.texts(), [])
})

for (const after of [undefined, 'a.0'])
  test(`a function history that subscribes: each is subscribed once, ${after === undefined ? 'from now on' : 'and resumes once'}`, async () => {
    let ask = (): void => undefined
    const history = (): object => {
      ask()
      return {}
    }
    const { shared, connect } = connections({ topics: { history } })
    const [one, other] = [connect(), connect()]
    ask = once(() => {
      one.peer.subscribe('news')
      other.peer.subscribe('news')
    })
    if (after === undefined) one.peer.subscribe('news')
    else assert.equal((await one.peer.subscribe('news', { after })).resumed, false)
    assert.equal(shared.topics.publish('news', 'text'), 2)
    await settle()
    assert.deepEqual([one.wire.texts(), other.wire.texts()], [['text'], ['text']])
    one.peer.unsubscribe('news')
    assert.equal(one.peer.isSubscribed('news'), false)
    assert.equal(shared.topics.publish('news', 'text'), 1)
    await settle()
    assert.equal(one.wire.texts().length, 1)
  })

test('a function history that keeps nothing is asked once for each publication, also where there is a function envelope', async () => {
  const asked: string[] = []
  const history = (topic: string): undefined => void asked.push(topic)
  const { shared, connect } = connections({ topics: { history, envelope: () => true } })
  const { wire, peer } = connect()
  peer.subscribe('news')
  asked.length = 0
  for (let count = 0; count < 3; count++) shared.topics.publish('news', 'text')
  await settle()
  assert.deepEqual(asked, ['news', 'news', 'news'])
  assert.equal(wire.texts().length, 3)
  peer.terminate()
})
