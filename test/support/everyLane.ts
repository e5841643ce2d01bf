// What a server answers must not depend on how the request came, nor on how the socket is read: this runs a test with
// the request whole (the first lane, if there is one) and in pieces (node:http), with the private API and without.
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Server } from '../../src/index.js'
import type { ListenOptions } from '../../src/server/listener.js'
import type { ServerOptions } from '../../src/server/options.js'
import { effort } from './effort.js'
import { latin1, upgradeRequest } from './httpRequests.js'
import { serving } from './serving.js'
import { SocketClient } from './socketClient.js'

export interface Way {
  readonly publicApi: boolean
  /** The request comes in pieces. */
  readonly pieces: boolean
}

/** In the quick suite, each transport and each kind of request once. */
const WAYS: readonly Way[] = [
  { publicApi: false, pieces: false },
  { publicApi: true, pieces: true },
  ...effort<readonly Way[]>({
    quick: [],
    full: [
      { publicApi: false, pieces: true },
      { publicApi: true, pieces: false },
    ],
  }),
]

/** A server and its clients, of one way; both are ended with the test. */
export class Trial {
  readonly way: Way
  port = 0
  readonly #ends: (() => Promise<void>)[] = []
  readonly #clients: SocketClient[] = []

  constructor(way: Way) {
    this.way = way
  }

  /** Listens, on a free port of this machine unless told otherwise. */
  async serve<Data = undefined>(options: ServerOptions<Data>, listen: ListenOptions = {}): Promise<Server<Data>> {
    const ending = { after: (end: () => Promise<void>) => this.#ends.push(end) }
    const server = await serving<Data>(ending, { ...options, publicApi: this.way.publicApi }, listen)
    this.port = server.address?.port ?? 0
    return server
  }

  /** A client that has sent nothing yet. */
  async connect(): Promise<SocketClient> {
    return this.adopt(await SocketClient.open(this.port))
  }

  /** Ends a client that somebody else has made with the test. */
  adopt(client: SocketClient): SocketClient {
    this.#clients.push(client)
    return client
  }

  /** A client that has sent a request, and behind it, in the same write as its end, other bytes. */
  async send(request = upgradeRequest(), behind: Uint8Array = Buffer.alloc(0)): Promise<SocketClient> {
    const client = await this.connect()
    await this.request(client, request, behind)
    return client
  }

  async request(client: SocketClient, request: string, behind: Uint8Array = Buffer.alloc(0)): Promise<void> {
    const bytes = latin1(request)
    const cut = this.way.pieces ? 30 : 0
    const pieces = [bytes.subarray(0, cut), Buffer.concat([bytes.subarray(cut), behind])]
    await client.writePieces(pieces.filter(({ length }) => length > 0))
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.destroy()))
    await Promise.all(this.#ends.map((end) => end()))
  }
}

/** One test in every way; in the quick suite, in two of four. */
export function inEveryLane(name: string, run: (trial: Trial) => Promise<void>, skip: string | false = false): void {
  for (const way of WAYS) {
    const request = way.pieces ? 'in pieces' : 'whole'
    test(`${name} (${request}, ${way.publicApi ? 'public API' : 'handles'})`, { skip }, async () => {
      const trial = new Trial(way)
      try {
        await run(trial)
      } finally {
        await trial.end()
      }
    })
  }
}

/** A promise, and how to settle it. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: unknown): void
}

export function deferred<Value = undefined>(): Deferred<Value> {
  let settle: Pick<Deferred<Value>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return {
    promise,
    resolve: (value) => settle?.resolve(value),
    reject: (error) => settle?.reject(error),
  }
}
