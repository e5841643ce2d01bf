// npm run bench -- topics: what a history of topics costs who publishes, and how long a thousand clients that come back at once
// take to have what they have missed, and what others notice of it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Connection, connect, type Handlers } from '../../src/client.js'
import { type Choice, type Found, pacing, type Suite } from '../support/suite.js'
import type { Order, Told } from './server.js'

const SERVER = fileURLToPath(new URL('./server.js', import.meta.url))
const WATCHER = fileURLToPath(new URL('./watcher.js', import.meta.url))
const ROUNDS = 9
const SUBSCRIBERS = 20
const MISSED = 100
/** Bytes of a publication without its envelope: the answer to a client is shorter. */
const PAYLOAD = 125
/** What is asked: a ratio of CPU time, and milliseconds. */
const [MOST_COST, MOST_TIME, MOST_P99] = [1.05, 1000, 20]

export const suite: Suite = {
  about: `CPU time of a server that publishes 125 bytes to ${SUBSCRIBERS} subscribers, 16 in a turn, with a history and without, by turns, the least third of all
rounds; and 1,000 clients that come back at once and have missed ${MISSED} publications, while ${SUBSCRIBERS} others are echoed: to a server
to which nobody has come back before, and again. Exits with 1 if a goal is missed.`,
  options: { ...pacing(ROUNDS, 0.3) },
  run,
}

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

async function start(...args: string[]): Promise<Running> {
  const child = fork(SERVER, args)
  const [{ port }] = await once(child, 'message')
  return { child, url: `ws://127.0.0.1:${port}` }
}

async function publish({ child }: Running, order: Order): Promise<number> {
  child.send(order)
  const [{ cpu }] = (await once(child, 'message')) as [Told]
  return cpu
}

async function run(choice: Choice): Promise<Found> {
  const { quick } = choice
  const cost = await costs(quick ? 1 : choice.number('rounds'), quick ? 50 : 1500)
  console.log(`publishing with a history: ${cost.ratio.toFixed(3)} x without (asked ${MOST_COST})`)
  const resume = quick ? await resumes(50, 2, 50) : await resumes(1000, ROUNDS, 1000)
  const { clients, before, first, later } = resume
  for (const [when, { time, p99 }] of [
    ['a fresh server', first],
    ['the middle one of those that follow', later],
  ] as const) {
    console.log(`${clients} clients, ${MISSED} publications each, ${when}: ${time.toFixed(0)} ms (asked ${MOST_TIME})`)
    console.log(`p99 of others: ${before.toFixed(1)} ms before, ${p99.toFixed(1)} ms meanwhile (asked ${MOST_P99})`)
  }
  const isReached = cost.ratio <= MOST_COST && later.time <= MOST_TIME && later.p99 <= MOST_P99
  return { figures: { cost, resume }, ok: quick || isReached }
}

/** Microseconds of CPU time per publication. */
async function costs(rounds: number, turns: number): Promise<{ plain: number; history: number; ratio: number }> {
  const servers = [await start('plain'), await start('history')]
  const found: number[][] = [[], []]
  for (const { url } of servers) {
    for (let at = 0; at < SUBSCRIBERS; at++) (await connect(url, { message: () => undefined })).send('')
  }
  await delay(200)
  for (const server of servers) await publish(server, { turns, each: 16 })
  for (let round = 0; round < rounds; round++) {
    for (const [at, server] of servers.entries())
      found[at]?.push((await publish(server, { turns, each: 16 })) / (16 * turns))
  }
  for (const { child } of servers) child.kill()
  const [plain, history] = found.map(undisturbed) as [number, number]
  return { plain, history, ratio: history / plain }
}

/** The mean of the least third: a single round that was lucky decides nothing. */
function undisturbed(figures: readonly number[]): number {
  const least = figures.toSorted((one, other) => one - other).slice(0, Math.ceil(figures.length / 3))
  return least.reduce((sum, figure) => sum + figure, 0) / least.length
}

/** Milliseconds until all have what they have missed; p99 of the echoes of others in the second before, and meanwhile. */
interface Resumes {
  readonly clients: number
  readonly before: number
  /** Of a server to which nobody has come back before, and the middle one of those that follow, by p99. */
  readonly first: Return
  readonly later: Return
}

interface Return {
  readonly time: number
  readonly p99: number
}

async function resumes(clients: number, rounds: number, pause: number): Promise<Resumes> {
  const server = await start('history', 'envelope')
  const position = await firstPosition(server)
  const crowd = await Crowd.connect(server.url, clients)
  const others = fork(WATCHER, [server.url, String(SUBSCRIBERS)])
  await once(others, 'message')
  await publish(server, { turns: MISSED, each: 1 })
  await delay(500)
  await measure(others)
  await delay(pause)
  const before = await measure(others)
  const found: Return[] = []
  for (let round = 0; round < rounds; round++) {
    await delay(pause / 5)
    await measure(others)
    const began = performance.now()
    await crowd.ask({ subscribe: 'news', after: position })
    found.push({ time: performance.now() - began, p99: await measure(others) })
    await crowd.ask({ unsubscribe: 'news' })
  }
  others.kill()
  server.child.kill()
  const [first = { time: 0, p99: 0 }, ...rest] = found
  return {
    clients,
    before,
    first,
    later: rest.toSorted((one, other) => one.p99 - other.p99)[rest.length >> 1] ?? first,
  }
}

/** Clients that come back all at once. */
class Crowd {
  readonly #connections: Connection[] = []
  #left = 0
  #done: () => void = () => undefined

  static async connect(url: string, clients: number): Promise<Crowd> {
    const crowd = new Crowd()
    for (let at = 0; at < clients; at++) {
      let got = 0
      const handlers: Handlers = {
        message(_, message) {
          if (message.byteLength >= PAYLOAD) return void got++
          const answer = message.text() // what is published is longer, in its envelope
          if ('subscribed' in JSON.parse(answer) && got !== MISSED)
            throw new Error(`${got} publications came, not ${MISSED}: ${answer}`)
          got = 0
          if (--crowd.#left === 0) crowd.#done()
        },
      }
      crowd.#connections.push(await connect(url, handlers))
    }
    return crowd
  }

  /** All ask for this; resolves when all are answered, and have had what is before the answer. */
  async ask(request: object): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#done = resolve
    })
    this.#left = this.#connections.length
    for (const [at, connection] of this.#connections.entries()) {
      connection.send(`${JSON.stringify(request)}\n`)
      if (at % 50 === 0) await delay(0) // they are many processes in truth
    }
    await answered
  }
}

/** Begins to measure the others, or ends it: milliseconds. */
async function measure(others: ChildProcess): Promise<number> {
  others.send('measure')
  const [{ p99 }] = await once(others, 'message')
  return p99
}

/** Where the topic stands before anything is published. */
async function firstPosition({ url }: Running): Promise<string> {
  return new Promise((resolve, reject) => {
    connect(url, {
      message: (connection, message) => {
        connection.close()
        resolve(JSON.parse(message.text()).position)
      },
    }).then((connection) => connection.send('{"subscribe":"news"}\n'), reject)
  })
}
