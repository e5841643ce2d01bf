// npm run bench -- topics: what a history of topics costs who publishes, and how long a thousand clients that come back at once
// take to have what they have missed, and what others notice of it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connect } from '../../src/client.js'
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
  about: `CPU time of a server that publishes 125 bytes to ${SUBSCRIBERS} subscribers, 16 in a turn, with a history and without, by turns, the least of all
rounds; and 1,000 clients that come back at once and have missed ${MISSED} publications, while ${SUBSCRIBERS} others are echoed. Exits with 1 if a goal is missed.`,
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
  const resume = await resumes(quick ? 50 : 1000, quick)
  console.log(
    `${resume.clients} clients, ${MISSED} publications each: ${resume.time.toFixed(0)} ms (asked ${MOST_TIME})`,
  )
  console.log(
    `p99 of others: ${resume.before.toFixed(1)} ms before, ${resume.p99.toFixed(1)} ms meanwhile (asked ${MOST_P99})`,
  )
  const isReached = cost.ratio <= MOST_COST && resume.time <= MOST_TIME && resume.p99 <= MOST_P99
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
  const [plain, history] = found.map((figures) => Math.min(...figures)) as [number, number]
  return { plain, history, ratio: history / plain }
}

/** Milliseconds until all have what they have missed; p99 of the echoes of others in the second before, and meanwhile. */
interface Resumes {
  readonly clients: number
  readonly time: number
  readonly before: number
  readonly p99: number
}

async function resumes(clients: number, quickly: boolean): Promise<Resumes> {
  const server = await start('history', 'envelope')
  let left = clients
  let done: () => void = () => undefined
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  const position = await firstPosition(server)
  const returning = []
  for (let at = 0; at < clients; at++) {
    let got = 0
    const connection = await connect(server.url, {
      message(_, message) {
        const isAnswer = message.byteLength < PAYLOAD
        if (!isAnswer) got++
        else if (got !== MISSED) throw new Error(`${got} publications came, not ${MISSED}: ${message.text()}`)
        else if (--left === 0) done()
      },
    })
    returning.push(connection)
  }
  const others = fork(WATCHER, [server.url, String(SUBSCRIBERS)])
  await once(others, 'message')
  await publish(server, { turns: MISSED, each: 1 })
  await delay(500)
  await measure(others)
  await delay(quickly ? 50 : 1000)
  const before = await measure(others)
  await measure(others)
  const began = performance.now()
  const request = `${JSON.stringify({ subscribe: 'news', after: position })}\n`
  for (const [at, connection] of returning.entries()) {
    connection.send(request)
    if (at % 50 === 0) await delay(0) // they are many processes in truth
  }
  await all
  const time = performance.now() - began
  const p99 = await measure(others)
  others.kill()
  server.child.kill()
  return { clients, time, before, p99 }
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
