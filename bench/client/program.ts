// A client under measurement: it holds connections to a server that echoes, and tells what a message costs this process.
// usage: program ENGINE; it answers to the questions below.
import { setTimeout as wait } from 'node:timers/promises'
import { answer, goes } from '../support/talk.js'
import { type Engine, loaded } from './engines.js'

/** One connection. */
export interface Client {
  send(bytes: Uint8Array): void
  end(): void
}

/** Opens a connection; `received` is told of the bytes of each message. */
export type Connect = (url: string, received: (bytes: number) => void) => Promise<Client>

/** What is held open while a row is measured. */
export interface Opening {
  readonly url: string
  readonly connections: number
}

/** What is sent in a round: on each connection, so many messages are in flight. */
export interface Traffic {
  readonly size: number
  readonly flight: number
  readonly seconds: number
  readonly warmup: number
  /**
   * Messages that this process must have exchanged before anything is measured: what the compiler of Node.js has not optimised
   * yet takes several times as much, most of all masking in JavaScript.
   */
  readonly warmMessages?: number
}

const AT_ONCE = 50
/** How long what was left behind may take to be given back, in milliseconds. */
const SETTLE = 100
/** How long the last messages of a round may be under way, in milliseconds. */
const PATIENCE = 10_000

const [engine] = process.argv.slice(2)
const connect = await loaded(engine as Engine)
const clients: Client[] = []
/** What a message that arrives does; set by each round. */
let received: (client: Client, bytes: number) => void = () => undefined

async function open({ url, connections }: Opening): Promise<void> {
  let wanted = connections
  const opener = async (): Promise<void> => {
    while (wanted-- > 0) {
      const client: Client = await connect(url, (bytes) => received(client, bytes))
      clients.push(client)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, opener))
}

/** Messages of all rounds so far. */
let exchanged = 0

/** CPU time of this process per message, in microseconds. */
async function round({ size, flight, seconds, warmup, warmMessages = 0 }: Traffic): Promise<number> {
  const payload = new Uint8Array(size).fill(0x41)
  let messages = 0
  let inFlight = 0
  let over = false
  received = (client, bytes) => {
    if (bytes !== size) throw new Error(`a message of ${bytes} bytes came back for one of ${size}`)
    messages++
    exchanged++
    if (over) inFlight--
    else client.send(payload)
  }
  for (const client of clients) {
    for (let sent = 0; sent < flight; sent++) client.send(payload)
    inFlight += flight
  }
  await wait(warmup * 1000)
  const warm = Date.now() + PATIENCE
  while (exchanged < warmMessages && Date.now() < warm) await wait(20)
  const [before, begun] = [process.cpuUsage(), messages]
  await wait(seconds * 1000)
  const { user, system } = process.cpuUsage(before)
  const measured = messages - begun
  over = true
  const deadline = Date.now() + PATIENCE
  while (inFlight > 0 && Date.now() < deadline) await wait(5)
  if (inFlight > 0) throw new Error(`${inFlight} messages did not come back`)
  return (user + system) / measured
}

/** Bytes of the process after garbage collections: what connections hold, not what their opening left behind. */
async function resident(): Promise<number> {
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.()
    await wait(SETTLE)
  }
  return process.memoryUsage.rss()
}

function close(): void {
  for (const client of clients.splice(0)) client.end()
}

goes('first')
answer({ open, round, resident, close })
