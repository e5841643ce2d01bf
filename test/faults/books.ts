// A server on loopback whose books a test can read: what it holds for payloads, and what its thread's memory holds.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { createServer, type Server, type ServerOptions } from '../../src/index.js'
import { Budget } from '../../src/memory/budget.js'
import { close } from '../support/frames.js'
import { listening } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

export class Books {
  readonly server: Server<unknown>
  readonly budget: Budget
  /** What the server has told of its connections' failures. */
  readonly errors: string[] = []
  readonly #clients: SocketClient[] = []
  #held = 0

  private constructor(options: Partial<ServerOptions>) {
    const made = budgetMadeBy(() => {
      const error = (_: unknown, reason: unknown): void => void this.errors.push(String(reason))
      return createServer({ error, closeTimeout: 2000, ...options })
    })
    this.server = made.server
    this.budget = made.budget
  }

  /** Listens, and ends with the test. */
  static async open(t: TestContext, options: Partial<ServerOptions>): Promise<Books> {
    const books = new Books(options)
    t.after(async () => {
      for (const client of books.#clients) await client.destroy()
    })
    await listening(t, books.server)
    const first = await books.dial()
    first.write(close(1000)) // what the first connection makes for all of them is there now
    await first.end()
    await first.destroy()
    await eventually(() => books.server.connections.size === 0, 'the first connection is gone', 30_000)
    books.#held = heapOfThread().used
    return books
  }

  async dial(): Promise<SocketClient> {
    const client = await SocketClient.upgraded(this.server.address?.port ?? 0)
    this.#clients.push(client)
    return client
  }

  /** Resolves when nothing is left of any connection. */
  async settled(): Promise<void> {
    await eventually(() => this.server.connections.size === 0, 'all connections end', 60_000)
    await eventually(() => heapOfThread().used <= this.#held, 'every region is free', 60_000)
    assert.equal(this.budget.used, 0)
    assert.equal(this.budget.stalls.watched, 0)
  }
}

/** The budget is the server's own; it is seen while it is made. */
export function budgetMadeBy(make: () => Server<unknown>): { server: Server<unknown>; budget: Budget } {
  const { serve } = Budget.prototype
  const made: Budget[] = []
  Budget.prototype.serve = function (this: Budget, longest: number): void {
    made.push(this)
    serve.call(this, longest)
  }
  try {
    const server = make()
    const [budget] = made
    assert.ok(budget !== undefined)
    return { server, budget }
  } finally {
    Budget.prototype.serve = serve
  }
}
