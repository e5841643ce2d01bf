// Random lives of clients and acceptors with one history: whoever comes back, to whichever acceptor, gets what a simple list says,
// or a gap where the list says that it is forgotten.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPosition } from '../../src/topics/position.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { eventually } from '../support/socketClient.js'
import { clusterOfTopics, type LinkedAcceptor, toldPosition } from './clusterOfTopics.js'

type Member = ReturnType<LinkedAcceptor['connect']>

/** A publication as a client sees it. */
interface Seen {
  readonly number: number
  readonly text: string
}

const TOPICS = ['a', 'b', 'c']

function seenOn({ wire }: Member, name: string): Seen[] {
  return wire.texts().flatMap((message) => {
    const end = message.indexOf('\n')
    const { topic, position } = JSON.parse(message.slice(0, end))
    return topic === name ? [{ number: readPosition(position)?.number ?? 0, text: message.slice(end + 1) }] : []
  })
}

function numberOf(position: string): number {
  return readPosition(position)?.number ?? Number.NaN
}

/** A client that comes and goes. */
class Client {
  acceptor: LinkedAcceptor
  member: Member
  /** After which number it gets everything, of the topics that it subscribes to. */
  readonly from = new Map<string, number>()
  /** Where it stopped. */
  readonly positions = new Map<string, string>()

  constructor(acceptor: LinkedAcceptor) {
    this.acceptor = acceptor
    this.member = acceptor.connect()
  }

  /** What it was sent on each topic follows its position, without a hole and without a double. */
  check(log: ReadonlyMap<string, readonly string[]>): void {
    for (const [name, from] of this.from) {
      const seen = seenOn(this.member, name)
      assert.deepEqual(
        seen,
        seen.map((_, at) => ({ number: from + 1 + at, text: log.get(name)?.[from + at] })),
        `${name} after ${from}`,
      )
    }
  }

  /** It comes back to another acceptor, with the positions that it has. */
  leave(next: LinkedAcceptor): void {
    for (const [name, from] of this.from) {
      const epoch = this.positions.get(name)?.split('.')[0] ?? ''
      const number = from + seenOn(this.member, name).length
      this.positions.set(name, `${epoch}.${number.toString(36)}`)
    }
    this.member.peer.terminate()
    this.from.clear()
    this.acceptor = next
    this.member = next.connect()
  }
}

test(`deliveries, resumes and gaps are those of a list, over random deaths of acceptors (SEED=${seed})`, {
  timeout: 100_000,
}, async (t) => {
  const random = new Random(seed)
  for (let run = 0; run < effort({ quick: 6, full: 60 }); run++) {
    const messages = random.pick([3, 10, 1000])
    const { start } = clusterOfTopics(t, { history: { messages }, envelope: true })
    const watching = await start()
    const acceptors = [await start(), await start()]
    const watcher = watching.connect()
    for (const name of TOPICS) await watcher.peer.subscribe(name, {})
    const log = new Map<string, string[]>(TOPICS.map((name) => [name, []]))
    /** What all acceptors have published is numbered, and the log is complete. */
    const settled = async (published: number): Promise<void> => {
      await eventually(() => watcher.wire.texts().length === published, 'all is numbered')
      for (const name of TOPICS)
        log.set(
          name,
          seenOn(watcher, name).map(({ text }) => text),
        )
    }
    const clients = Array.from({ length: 4 }, () => new Client(random.pick(acceptors)))
    let published = 0
    const publish = (): void => {
      random
        .pick([watching, ...acceptors])
        .publish(random.pick(TOPICS), `${published++} ${'x'.repeat(random.pick([0, 100, 5000]))}`)
    }
    for (let step = 0; step < 50; step++) {
      const client = random.pick(clients)
      const name = random.pick(TOPICS)
      if (random.chance(0.5)) for (let count = random.between(1, 8); count > 0; count--) publish()
      else if (random.chance(0.6) && !client.from.has(name)) {
        await settled(published)
        const after = client.positions.get(name)
        const asked = client.member.peer.subscribe(name, { after })
        const before = log.get(name)?.length ?? 0
        for (let count = random.between(0, 4); count > 0; count--) publish()
        const resumption = await asked
        await settled(published)
        const now = log.get(name)?.length ?? 0
        const missed = after === undefined ? 0 : now - numberOf(after)
        if (resumption.resumed)
          assert.ok(before - (after === undefined ? before : numberOf(after)) <= messages, 'it was forgotten')
        else {
          assert.equal(resumption.gap.reason, 'forgotten')
          assert.ok(missed > messages, `${missed} are missed, ${messages} are kept`)
        }
        client.from.set(
          name,
          resumption.resumed && after !== undefined ? numberOf(after) : numberOf(toldPosition(resumption)),
        )
        client.positions.set(name, toldPosition(resumption))
      } else if (random.chance(0.7)) {
        await settled(published)
        client.check(log)
        client.leave(random.pick(acceptors))
      } else {
        await settled(published)
        const [dead] = acceptors.splice(random.below(acceptors.length), 1)
        acceptors.push(await start())
        for (const one of clients) {
          if (one.acceptor !== dead) continue
          one.check(log)
          one.leave(random.pick(acceptors))
        }
        dead?.die()
      }
    }
    await settled(published)
    const isComplete = (client: Client): boolean =>
      [...client.from].every(([name, from]) => from + seenOn(client.member, name).length === log.get(name)?.length)
    await eventually(() => clients.every(isComplete), 'all have all')
    for (const client of clients) client.check(log)
    for (const acceptor of [watching, ...acceptors]) acceptor.die()
  }
})
