// The command's topics over several processes: acceptors of one machine, and two "machines" with Redis between them. Who
// is subscribed everywhere gets everything once, and in the order of each publisher.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { CliProcess, runCli } from '../command/cliProcess.js'
import { RedisServer, redisMissing } from '../support/redis.js'
import { eventually } from '../support/socketClient.js'

const options = { timeout: 90_000, skip: process.platform === 'win32' }
const EACH = 200

class Member {
  readonly got: string[] = []
  readonly name: string
  readonly socket: WebSocket

  constructor(name: string, url: string) {
    this.name = name
    this.socket = new WebSocket(`${url}/topics/caf%C3%A9`)
    this.socket.on('message', (data) => void this.got.push(String(data)))
    this.socket.on('error', () => undefined)
  }

  say(what: string): void {
    this.socket.send(`${this.name} ${what}`)
  }

  /** What it got of one member. */
  of({ name }: Member, what: RegExp): string[] {
    return this.got.filter((text) => text.startsWith(`${name} `) && what.test(text))
  }
}

/** Members of one topic, who have all heard of each other. */
async function circle(urls: readonly string[], each: number): Promise<Member[]> {
  const members = urls.flatMap((url, at) => Array.from({ length: each }, (_, n) => new Member(`${at}.${n}`, url)))
  await eventually(() => members.every(({ socket }) => socket.readyState === WebSocket.OPEN), 'all are open', 20_000)
  // It takes a moment until every process knows what the others subscribe to.
  for (let round = 0; round < 400; round++) {
    for (const member of members) member.say('probe')
    await sleep(50)
    if (members.every((one) => members.every((other) => one.of(other, /probe/).length > 0))) return members
  }
  throw new Error('not everybody hears everybody')
}

/** Everybody says `EACH` things; everybody must get them all. */
async function talk(members: readonly Member[]): Promise<void> {
  for (let n = 0; n < EACH; n++) for (const member of members) member.say(`word ${n}`)
  const expected = members.length * EACH
  const words = (member: Member): number => member.got.filter((text) => text.includes('word')).length
  await eventually(() => members.every((member) => words(member) >= expected), 'all is heard', 30_000)
  for (const one of members) {
    for (const other of members) {
      const whole = Array.from({ length: EACH }, (_, n) => `${other.name} word ${n}`)
      assert.deepEqual(one.of(other, /word/), whole)
    }
  }
}

test('topics span the acceptors of a machine, also those that a reload brings', options, async (t) => {
  const cli = await CliProcess.start(['--acceptors', '3', '--drain-after', '0', '--drain-over', '0'])
  t.after(() => cli.close())
  const members = await circle([cli.url], 9)
  await talk(members)
  cli.kill('SIGHUP')
  await eventually(() => members.every(({ socket }) => socket.readyState === WebSocket.CLOSED), 'all are told', 30_000)
  const again = await circle([cli.url], 6)
  await talk(again)
  for (const { socket } of again) socket.terminate()
})

test('topics span machines over Redis', { ...options, skip: redisMissing() }, async (t) => {
  const redis = await RedisServer.start()
  t.after(() => redis.kill())
  const machines = [await CliProcess.start(['--broker', redis.url, '--acceptors', '2'])]
  machines.push(await CliProcess.start(['--broker', redis.url]))
  t.after(() => Promise.all(machines.map((machine) => machine.close())))
  const members = await circle(
    machines.map(({ url }) => url),
    4,
  )
  await talk(members)
  for (const { socket } of members) socket.terminate()
})

test('a broker that is none is one line', options, async () => {
  const { code, stdout, stderr } = await runCli('--broker', 'http://127.0.0.1')
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
  assert.match(stderr, /^millrace: the address of the Redis server is wrong: [^\n]+\n$/)
})
