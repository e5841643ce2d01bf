// Whatever becomes of a message that is with the pool, on either transport: its module fails in every way there is, or
// its connection ends first. One connection ends at most, the others are served, and no memory stays behind.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import { createServer, type ServerOptions } from '../../src/index.js'
import { Books } from '../faults/books.js'
import { effort } from '../support/effort.js'
import { closeStatus, masked, TEXT } from '../support/frames.js'
import { transports } from '../support/places.js'
import { delay, eventually } from '../support/socketClient.js'
import { PADDING } from './largeModule.js'

const module = new URL('./largeModule.js', import.meta.url)
const throwing = new URL('data:text/javascript,export default function () { throw new Error("at once") }')
const broken = new URL('data:text/javascript,throw new Error("while it loads")')

interface Death {
  readonly command: string
  readonly error: RegExp
  readonly large?: object
}

const deaths: readonly Death[] = [
  { command: 'throw', error: /as asked/ },
  { command: 'loop', error: /longer than large\.timeout, 1500 ms/, large: { timeout: 1500 } },
  { command: 'never', error: /longer than large\.timeout, 1500 ms/, large: { timeout: 1500 } },
  { command: 'exit', error: /exited with code: 5/ },
  { command: 'die', error: /exited with code: 6/ },
  { command: 'number', error: /cannot send number/ },
]

const waits = ({ command }: Death): boolean => command !== 'loop'

function large(command: string): Buffer {
  return masked(TEXT, `${command} ${PADDING}`)
}

for (const { transport, publicApi } of transports) {
  const open = (t: TestContext, options = {}, others: Partial<ServerOptions> = {}): Promise<Books> =>
    Books.open(t, {
      publicApi,
      message: (connection, message) => connection.send(message),
      ...others,
      large: { module, threads: 2, ...options },
    })

  describe(`with ${transport}`, () => {
    // test/pool/pool.test.ts has one that loops, too: it takes all of a processor.
    for (const { command, error, large: options } of effort({ quick: deaths.filter(waits), full: deaths })) {
      test(`a module that does this ends its connection alone: ${command}`, async (t) => {
        const books = await open(t, options)
        const [bad, other] = [await books.dial(), await books.dial()]
        bad.write(Buffer.concat([large(command), masked(TEXT, 'behind')]))
        other.write(masked(TEXT, 'beside'))
        assert.equal((await other.frame(0)).payload.toString(), 'beside')
        await eventually(() => bad.receivedFrames.length > 0, 'an end', 60_000)
        assert.deepEqual(
          bad.receivedFrames.map((frame) => closeStatus(frame)?.code),
          [1011],
        )
        assert.match(books.errors.join(), error)
        other.write(masked(TEXT, 'on'))
        assert.equal((await other.frame(1)).payload.toString(), 'on')
        if (options === undefined) {
          other.write(large('say')) // its thread is another one, or goes on
          await eventually(() => other.receivedFrames.length > 2, 'an answer', 60_000)
          assert.equal(other.receivedFrames[2]?.payload.toString(), 'say  70004')
        }
        for (const client of [bad, other]) await client.destroy()
        await books.settled()
      })
    }

    test('also one that throws before it returns a promise', async (t) => {
      const books = await open(t, { module: throwing })
      const client = await books.dial()
      client.write(large('say'))
      await eventually(() => client.receivedFrames.length > 0, 'an end', 60_000)
      assert.equal(closeStatus(client.receivedFrames[0])?.code, 1011)
      assert.match(books.errors.join(), /at once/)
      await client.destroy()
      await books.settled()
    })

    test('one that does not load fails listen', async () => {
      const server = createServer({ publicApi, large: { module: broken } })
      await assert.rejects(server.listen({ host: '127.0.0.1' }), /while it loads/)
      await server.close()
    })

    test('one that keeps its message finds nothing in it later', async (t) => {
      const books = await open(t, { threads: 1 })
      const client = await books.dial()
      client.write(Buffer.concat([large('keep'), large('kept')]))
      await eventually(() => client.receivedFrames.length > 1, 'two answers', 60_000)
      const failures: unknown = JSON.parse(client.receivedFrames[1]?.payload.toString() ?? '')
      assert.ok(Array.isArray(failures) && failures.length === 4)
      for (const failure of failures) assert.match(String(failure), /the message is gone/)
    })

    const ends = ['an end', 'a reset', 'a Close', 'server.close'] as const
    for (const how of ends) {
      test(`${how} while the message is with the pool leaves nothing behind`, async (t) => {
        let told = 0
        const closed: number[] = []
        const books = await open(
          t,
          { context: () => told++ },
          { close: (_, code) => void closed.push(code), closeTimeout: 1000 },
        )
        const client = await books.dial()
        // Well within closeTimeout: server.close waits that long for the peer, and then ends the threads.
        client.write(Buffer.concat([large('wait 500'), masked(TEXT, 'behind')]))
        await eventually(() => told === 1, 'the pool has it', 60_000)
        await delay(100)
        if (how === 'an end') client.socket.end()
        if (how === 'a reset') client.socket.resetAndDestroy()
        if (how === 'a Close') client.write(masked(8))
        if (how === 'server.close') await books.server.close()
        if (how === 'an end' || how === 'a Close') {
          await eventually(() => client.over, 'the end', 60_000)
          await client.destroy()
        }
        await books.settled()
        assert.equal(closed.length, 2, 'the first connection, and this one') // see Books.open
        assert.deepEqual(books.errors, [])
      })
    }

    for (const ordered of [true, false]) {
      const what = ordered ? 'wait for it' : 'overtake it, unless they must wait'
      test(`ten small messages after a large one ${what}`, async (t) => {
        const books = await open(t, { ordered })
        const client = await books.dial()
        const small = Array.from({ length: 10 }, (_, n) => `${n}`)
        client.write(Buffer.concat([large('wait 1000'), ...small.map((text) => masked(TEXT, text))]))
        await eventually(() => client.receivedFrames.length === 11, 'all answers', 60_000)
        const answers = client.receivedFrames.map(({ payload }) => payload.toString())
        assert.deepEqual(answers, ordered ? ['wait 1000 70010', ...small] : [...small, 'wait 1000 70010'])
        await client.destroy()
        await books.settled()
      })
    }
  })
}
