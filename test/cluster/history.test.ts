// Acceptors are killed under load: clients come back to other acceptors, and get every publication once and in order.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectTopics, type TopicClient, type TopicGap } from '../../src/client.js'
import { Inbox } from '../clients/inbox.js'
import { effort } from '../support/effort.js'
import { eventually } from '../support/socketClient.js'
import { isAlive } from './clusterProcess.js'

const PROGRAM = fileURLToPath(new URL('./historyProgram.js', import.meta.url))
const options = { timeout: 120_000, skip: process.platform === 'win32' }

interface Said {
  readonly port: number
  readonly pids: readonly number[]
  readonly published: number
}

/** The program, and what it says. */
async function start(t: TestContext) {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'ignore'] })
  const said = new Inbox<Said>()
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)))
  const { port, pids } = await said.next()
  t.after(async () => {
    child.kill('SIGKILL')
    await eventually(() => !pids.some(isAlive), 'the acceptors end with their primary')
  })
  const publish = (count: number): Promise<Said> => {
    child.stdin.write(`publish ${count}\n`)
    return said.next()
  }
  return { url: `ws://127.0.0.1:${port}`, pids, publish }
}

interface Follower {
  readonly client: TopicClient
  readonly got: string[]
  readonly gaps: TopicGap[]
}

async function follow(t: TestContext, url: string): Promise<Follower> {
  const [got, gaps]: [string[], TopicGap[]] = [[], []]
  const client = await connectTopics(url, {
    reconnect: { delay: 50, maxDelay: 500 },
    publication: ({ data }) => got.push(String(data)),
    gap: (gap) => gaps.push(gap),
  })
  t.after(() => client.connection.terminate())
  assert.equal((await client.subscribe('news')).resumed, true)
  return { client, got, gaps }
}

test(
  'kill -9 of each acceptor under load: clients that come back to others have lost nothing, and nothing came twice',
  options,
  async (t) => {
    const { url, pids, publish } = await start(t)
    const count = effort({ quick: 60, full: 500 })
    const followers: Follower[] = []
    while (followers.length < count)
      followers.push(...(await Promise.all(Array.from({ length: 20 }, () => follow(t, url)))))
    let published = 0
    for (const victim of pids) {
      const publishing = publish(effort({ quick: 1000, full: 3000 }))
      await eventually(() => followers.every(({ got }) => got.length > published + 50), 'it has begun')
      process.kill(victim, 'SIGKILL')
      await publishing
      ;({ published } = await publish(100)) // also where all had come before the kill
      await eventually(() => followers.every(({ got }) => got.length >= published), 'all have all', 30_000)
    }
    const expected = Array.from({ length: published }, (_, at) => String(at)).join()
    for (const { got, gaps } of followers) {
      assert.ok(got.join() === expected, `${got.length} of ${published}`)
      assert.deepEqual(gaps, [])
    }
    const [first] = followers
    await first?.client.subscribe('talk') // a connection whose acceptor is dead may not know it yet
    first?.client.connection.send('by an acceptor')
    await eventually(() => first?.got.at(-1) === 'by an acceptor', 'acceptors publish, too')
  },
)
