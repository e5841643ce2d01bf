// The parent's side of a load client: gives it orders, and samples the server's CPU time when it says so.
import { fileURLToPath } from 'node:url'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import { certificateFiles } from './certificate.js'
import type { HandshakeOrder } from './handshakes.js'
import type { Loaded, LoadKind, LoadOrder } from './loadProgram.js'
import { memory, type RunningServer, type Usage, usageOf } from './process.js'
import { goes, type Order, Program } from './talk.js'

/** One round of one server. */
export interface Round {
  /** Server CPU time per message, per delivery or per handshake, in microseconds. */
  readonly cpu: number
  /** CPU time of the load client per message, in microseconds, where it tells. */
  readonly client?: number
  /** What of `cpu` its main thread had, where the system tells. */
  readonly mainThread?: number
  /** Share of its core that the server used, 0 to 1. */
  readonly busy: number
  /** Messages, deliveries or handshakes per second. */
  readonly rate: number
  readonly latency: LoadResult['latency'] | undefined
  /** What the server had answered to an offer of permessage-deflate, and the bytes of a message on the wire, each way. */
  readonly deflate?: { readonly negotiated: string; readonly sent: number; readonly received: number }
  /** Where another load ran beside this one: what of it the server answered in a second. */
  readonly beside?: number
  /** The server's highest resident memory so far, in bytes. */
  readonly peakMemory: number
  /** Where handshakes are measured: the CPU time of each of as many more, into the same process. */
  readonly warm?: number
}

const TIMEOUT = 120_000
const PROGRAM = fileURLToPath(new URL('./loadProgram.js', import.meta.url))

type Options = Omit<LoadOptions, 'url'>

export class LoadClient {
  readonly #program: Program

  /**
   * Runs on `core`, where cores can be chosen. One that goes first must not wait for the turn of another client on that
   * core, for which the server would be charged: the other goes aside, and gets all the time that this one does not use.
   */
  constructor(core: number, order: Order = 'next') {
    this.#program = new Program(core, PROGRAM, [], { environment: { NODE_EXTRA_CA_CERTS: certificateFiles()[1] } })
    if (order !== 'next') goes(order, this.#program.pid)
  }

  /**
   * Loads a server, which by default echoes; the messages of one that broadcasts are its deliveries. Rejects with the
   * reason if the load broke off. `begun` is called when its warm-up is over. The memory is the server's when the time is.
   */
  async load(
    server: RunningServer,
    options: Options,
    kind: LoadKind = 'load',
    begun: () => void = () => undefined,
  ): Promise<Round & { readonly memory: number }> {
    let before = sampleOf(server)
    let after = before
    let resident = 0
    this.#program.noted = (note) => {
      if (note === 'measured') {
        after = sampleOf(server)
        resident = memory(server.pid).now
      } else {
        before = sampleOf(server)
        begun()
      }
    }
    const result = await this.#program.ask<Loaded>(kind, { url: server.url, options } satisfies LoadOrder, TIMEOUT)
    if (result.error !== undefined) throw new Error(result.error)
    const { cpu, mainThread, milliseconds } = await difference(before, after)
    return {
      cpu: cpu / Math.max(result.messages, 1),
      mainThread: mainThread / Math.max(result.messages, 1),
      busy: cpu / 1000 / milliseconds,
      rate: result.messagesPerSecond,
      latency: result.latency,
      ...wireOf(result),
      ...clientOf(result),
      peakMemory: memory(server.pid).peak,
      memory: resident,
    }
  }

  /** Loads in the background while `work` is done: that begins when this load's warm-up is over, and both are awaited. */
  async beside<Result>(
    work: () => Promise<Result>,
    server: RunningServer,
    options: Options,
    kind: LoadKind = 'load',
  ): Promise<[Result, Round]> {
    let begun: () => void = () => undefined
    const beginning = new Promise<void>((resolve) => {
      begun = resolve
    })
    const load = this.load(server, options, kind, begun)
    return Promise.all([Promise.race([beginning, load]).then(work), load])
  }

  /** Opens connections, which stay open until `release`. */
  async handshakes(server: RunningServer, connections: number): Promise<Round> {
    const before = sampleOf(server)
    const order: HandshakeOrder = { url: server.url, connections }
    const seconds = await this.#program.ask<number>('handshakes', order, TIMEOUT)
    const { cpu } = await difference(before, sampleOf(server))
    const peakMemory = memory(server.pid).peak
    return {
      cpu: cpu / connections,
      busy: cpu / 1e6 / seconds,
      rate: connections / seconds,
      latency: undefined,
      peakMemory,
    }
  }

  release(): Promise<void> {
    return this.#program.ask('release')
  }

  stop(): void {
    void this.#program.stop()
  }
}

/** What the load client itself took. */
function clientOf({ generator, seconds, messages }: Loaded): Pick<Round, 'client'> {
  if (generator === undefined || seconds === undefined) return {}
  return { client: (generator.cpu * seconds * 1e6) / Math.max(messages, 1) }
}

/** The bytes of a message on the wire, where they are compressed. */
function wireOf({ negotiated, messagesPerSecond, ...result }: Loaded): Pick<Round, 'deflate'> {
  if (negotiated === undefined) return {}
  const bytes = (megabytes = 0): number => (megabytes * 1e6) / messagesPerSecond
  const [sent, received] = [bytes(result.sentMegabytesPerSecond), bytes(result.receivedMegabytesPerSecond)]
  return { deflate: { negotiated, sent, received } }
}

interface Sample extends Usage {
  readonly at: number
}

async function sampleOf(server: RunningServer): Promise<Sample> {
  const at = performance.now()
  return { at, ...(await usageOf(server)) }
}

async function difference(first: Promise<Sample>, second: Promise<Sample>): Promise<Usage & { milliseconds: number }> {
  const [before, after] = await Promise.all([first, second])
  const [cpu, mainThread] = [after.cpu - before.cpu, after.mainThread - before.mainThread]
  return { cpu, mainThread, milliseconds: after.at - before.at }
}
