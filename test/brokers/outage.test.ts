// Redis is killed under load, with clients that lose their connections and come back: with a stream, nothing is lost that was
// confirmed, and nothing comes twice; with channels, what is lost is told to the last one.
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Inbox } from '../clients/inbox.js'
import { effort, onlyInFull } from '../support/effort.js'
import { RedisServer, redisMissing } from '../support/redis.js'
import { delay, eventually } from '../support/socketClient.js'
import { Follower } from './outageClients.js'
import { textsIn } from './streamMachine.js'

const PROGRAM = fileURLToPath(new URL('./outageProgram.js', import.meta.url))
const CLIENTS = effort({ quick: 20, full: 500 })
const KILLS = effort({ quick: 1, full: 4 })
/** Milliseconds that something may take on a machine that does much else. */
const PATIENCE = 240_000
const MiB = 2 ** 20
const options = { timeout: 900_000, skip: redisMissing() }
const inFull = { ...options, skip: options.skip || onlyInFull } // redisOutage.test.ts counts the same in the quick suite

interface Told {
  readonly published: number
  readonly heard: Record<string, number>
  readonly received: number
  readonly missed: number
  readonly inexact: number
  readonly rss: number
  readonly broker: { readonly [name: string]: number | boolean }
}

/** A machine, and what it says. */
class Program {
  readonly name: string
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #told = new Inbox<Told & { readonly port: number }>()
  /** Up to which number everything is confirmed, and how much was refused. */
  confirmed = -1
  refused = 0

  constructor(t: TestContext, name: string, kind: string, url: string) {
    this.name = name
    this.#child = spawn(process.execPath, [PROGRAM, name, kind, url], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => this.kill())
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const said = JSON.parse(line)
      if (said.confirmed !== undefined) this.confirmed = said.confirmed
      else if (said.refused !== undefined) this.refused++
      else this.#told.push(said)
    })
  }

  async url(): Promise<string> {
    return `ws://127.0.0.1:${(await this.#told.next()).port}`
  }

  say(word: 'publish' | 'stop'): void {
    this.#child.stdin.write(`${word}\n`)
  }

  tell(): Promise<Told> {
    this.#child.stdin.write('tell\n')
    return this.#told.next()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Until Redis is there for all machines, or away for all. */
async function allConnected(programs: readonly Program[], areConnected = true): Promise<void> {
  for (const began = Date.now(); Date.now() - began < PATIENCE; await delay(50)) {
    const told = await Promise.all(programs.map((program) => program.tell()))
    if (told.every(({ broker }) => broker['connected'] === areConnected)) return
  }
  assert.fail(`Redis is not ${areConnected ? 'there' : 'away'}`)
}

/** Until each machine has published so many more. */
async function publishes(programs: readonly Program[], count: number): Promise<void> {
  const begin = await Promise.all(programs.map((program) => program.tell()))
  for (const began = Date.now(); Date.now() - began < PATIENCE; await delay(50)) {
    const now = await Promise.all(programs.map((program) => program.tell()))
    if (now.every(({ published }, at) => published >= (begin[at]?.published ?? 0) + count)) return
  }
  assert.fail('a machine does not publish')
}

/** Redis in a folder of its own, three machines, and clients of two of them. */
async function start(t: TestContext, kind: string) {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-outage-'))
  const redis = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir])
  t.after(async () => {
    await redis.kill()
    rmSync(dir, { recursive: true, force: true })
  })
  const programs = ['a', 'b', 'silent'].map((name) => new Program(t, name, kind, redis.url))
  const urls = await Promise.all(programs.map((program) => program.url()))
  await allConnected(programs)
  const followers: Follower[] = []
  t.after(() => followers.map((follower) => follower.end()))
  while (followers.length < CLIENTS) {
    for (let at = 0; at < 20; at++) followers.push(new Follower(urls[at % 2] ?? ''))
    await eventually(() => followers.every(({ answers }) => answers > 0), 'they are subscribed', PATIENCE)
  }
  return { redis, programs, followers }
}

/** Clients lose their connections, one after the other, until this is called. */
function cutting(t: TestContext, followers: readonly Follower[]): () => void {
  let next = 0
  const timer = setInterval(() => followers[next++ % followers.length]?.cut(), 5)
  t.after(() => clearInterval(timer))
  return () => clearInterval(timer)
}

/** Redis dies under load, and comes back, several times; each time, a part of the clients loses its connections at once. */
async function outages(
  redis: RedisServer,
  programs: readonly Program[],
  followers: readonly Follower[],
): Promise<void> {
  for (let outage = 0; outage < KILLS; outage++) {
    await publishes(programs, 20)
    for (const [at, follower] of followers.entries()) if (at % KILLS === outage) follower.cut()
    await redis.kill()
    await publishes(programs, 10)
    await redis.start()
    await allConnected(programs)
  }
}

test(
  'kill -9 of Redis with a stream: nothing is lost that was confirmed, and nothing comes twice',
  options,
  async (t) => {
    const { redis, programs, followers } = await start(t, 'streams')
    const [a, b, silent] = programs
    assert.ok(a && b && silent)
    const began = await Promise.all([a.tell(), b.tell()])
    const stop = cutting(t, followers)
    for (const program of programs) program.say('publish')
    await outages(redis, programs, followers)
    // An answer that comes too late: what it was for is written once more.
    redis.freeze()
    const away = async (): Promise<boolean> => (await silent.tell()).broker['connected'] === false
    for (const from = Date.now(); !(await away()) && Date.now() - from < PATIENCE; ) await delay(50)
    redis.thaw()
    await allConnected(programs)
    silent.kill()
    const { confirmed } = silent // what it has said before it died
    for (const program of [a, b]) program.say('stop')
    stop()
    const published = await Promise.all([a.tell(), b.tell()])
    const wanted = new Map([
      ['a', (published[0]?.published ?? 0) - 1],
      ['b', (published[1]?.published ?? 0) - 1],
      ['silent', confirmed],
    ])
    const hasAll = ({ latest }: Follower): boolean =>
      [...wanted].every(([name, number]) => (latest.get(name) ?? -1) >= number)
    await eventually(() => followers.every(hasAll), 'everybody has what was confirmed', PATIENCE)
    await eventually(() => [a, b].every((one) => one.confirmed === wanted.get(one.name)), 'all is confirmed', PATIENCE)
    await eventually(() => followers.every(({ answers }) => answers > 1), 'everybody has come back', PATIENCE)
    for (const { doubles, missing, gaps } of followers) assert.deepEqual([doubles, missing, gaps], [0, 0, 0])
    const heard = async (): Promise<number[]> =>
      (await Promise.all([a.tell(), b.tell()])).map(({ received }) => received)
    for (let before = ''; before !== String(await heard()); await delay(200)) before = String(await heard())
    const texts = await textsIn(redis.url)
    const names = texts.map((text) => text.slice(0, text.indexOf(':x')))
    const twice = (except: string): number => {
      const others = names.filter((name) => !name.startsWith(`${except}:`))
      return others.length - new Set(others).size
    }
    const told = await Promise.all([a.tell(), b.tell()])
    for (const [at, { name }] of [a, b].entries()) {
      const { received, missed, inexact, rss, broker } = told[at] ?? assert.fail()
      assert.deepEqual([missed, inexact, broker['dropped'], broker['missed'], broker['trimmed']], [0, 0, 0, 0, 0])
      const others = new Set(names.filter((one) => !one.startsWith(`${name}:`)))
      assert.equal(received, others.size, 'each once, as somebody else finds them in the stream')
      assert.ok(Number(broker['doubles']) > 0 === twice(name) > 0, 'doubles are known')
      assert.ok(rss < (began[at]?.rss ?? 0) + 256 * MiB, `${rss} bytes`)
    }
    assert.ok(twice('') > 0, 'something was written twice')
    const answers = followers.reduce((sum, follower) => sum + follower.answers, 0)
    t.diagnostic(JSON.stringify({ confirmed: [...wanted], inStream: texts.length, twice: twice(''), answers, told }))
  },
)

test('kill -9 of Redis with channels: what is lost is told to the last one, also to clients', inFull, async (t) => {
  const { redis, programs, followers } = await start(t, 'channels')
  const stop = cutting(t, followers)
  for (const program of programs) program.say('publish')
  const latest = (follower: Follower, { name }: Program): number => follower.latest.get(name) ?? -1
  const allHear = (): boolean => followers.every((one) => programs.every((program) => latest(one, program) >= 0))
  await eventually(allHear, 'everybody hears everybody', PATIENCE)
  await outages(redis, programs, followers)
  stop()
  const now = await Promise.all(programs.map((program) => program.tell()))
  const isBack = (one: Follower): boolean =>
    programs.every((program, at) => latest(one, program) > (now[at]?.published ?? 0))
  await eventually(() => followers.every(isBack), 'everybody hears everybody again', PATIENCE)
  for (const program of programs) program.say('stop')
  const published = (await Promise.all(programs.map((program) => program.tell()))).map((told) => told.published)
  const isDone = (one: Follower): boolean =>
    programs.every((program, at) => latest(one, program) === (published[at] ?? 0) - 1)
  await eventually(() => followers.every(isDone), 'the last ones arrive', PATIENCE)
  const told = await Promise.all(programs.map((program) => program.tell()))
  for (const { received, missed, inexact, broker } of told) {
    assert.equal(inexact, 0, 'each hole is told with the publication after it')
    assert.deepEqual([received, missed], [broker['received'], broker['missed']])
    assert.ok(missed > 0, 'something was lost')
  }
  for (const { doubles, untold } of followers) assert.deepEqual([doubles, untold], [0, 0])
  assert.ok(followers.every(({ missing }) => missing > 0))
  t.diagnostic(JSON.stringify(told))
})
