// A machine whose server has a history and a broker of Redis, run by tests as a process of its own: it publishes numbers with its
// name on the topic `news` while it is told to, and hears what the others publish. It says in lines of JSON where it listens, up
// to which number it is confirmed what it has published, and, when asked, what it has counted.
import { createInterface } from 'node:readline'
import { createServer, serveTopics } from '../../src/index.js'
import { redisBroker, redisStreamsBroker } from '../../src/redis.js'

/** Milliseconds between two publications: so it publishes also while nobody is there. */
const PAUSE = 40
const [name = '', kind = '', url = ''] = process.argv.slice(2)
const PADDING = 'x'.repeat(1000)

const settings = { timeout: 1000, error: () => undefined }
const streams = kind === 'streams' ? redisStreamsBroker(url, { ...settings, maxLength: 1_000_000 }) : undefined
const broker = streams ?? redisBroker(url, settings)
const server = createServer({
  broker,
  topics: { history: { messages: 100_000, bytes: 2 ** 25 }, historyMemory: 2 ** 24, envelope: true },
  message: (connection, message) => void serveTopics(connection, message, () => true),
})

const say = (told: object): void => console.log(JSON.stringify(told))

function tell(): void {
  noteMemory()
  say({ published, heard: Object.fromEntries(heard), ...counts, broker: broker.statistics })
}

function noteMemory(): void {
  counts.rss = Math.max(counts.rss, process.memoryUsage.rss())
}

/** What was heard of others: the latest number of each; and what was told to be missing otherwise than it was. */
const heard = new Map<string, number>()
const counts = { received: 0, missed: 0, inexact: 0, rss: 0 }
server.subscribe('news', ({ data, origin, missed }) => {
  if (origin === 'local') return
  const [who = '', number] = String(data).split(':')
  const expected = heard.has(who) ? Number(number) - (heard.get(who) ?? 0) - 1 : 0
  heard.set(who, Number(number))
  if (missed !== expected) counts.inexact++
  counts.received++
  counts.missed += missed
})

let published = 0
let timer: NodeJS.Timeout | undefined

function publish(): void {
  const number = published++
  server.publish('news', `${name}:${number}:${PADDING}`)
  streams?.confirmed().then(
    () => say({ confirmed: number }),
    () => say({ refused: number }),
  )
  noteMemory()
}

await server.listen({ host: '127.0.0.1', port: 0 })
say({ port: server.port })
createInterface({ input: process.stdin })
  .on('line', (word) => {
    if (word === 'publish') timer = setInterval(publish, PAUSE)
    if (word === 'stop') clearInterval(timer)
    if (word === 'tell') tell()
  })
  .on('close', () => process.exit(0))
