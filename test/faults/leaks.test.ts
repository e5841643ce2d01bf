// Many times thousands of connections, each left in another state and ended in another way, leave nothing behind.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { heapOfThread } from '../../src/codec/codec.js'
import { mostDeflaterBytes } from '../../src/codec/deflater.js'
import { mostInflaterBytes } from '../../src/codec/inflater.js'
import { createServer, type DeflateOptions } from '../../src/index.js'
import { effort } from '../support/effort.js'
import { warmCompression } from '../support/warmCompression.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const COUNT = effort({ quick: 800, full: 10_000 })
const ROUNDS = effort({ quick: 5, full: 10 })
/**
 * Bytes that the heap may grow by for each connection: what is left of one is more than a thousand. In few rounds, what the
 * engine itself takes while it warms up weighs more.
 */
const NOTHING = effort({ quick: 600, full: 16 })

test('connections leave no slot, region, handle or growing memory behind', { timeout: 170_000 }, (context) =>
  leavesNothing(context, false),
)

test('connections that compress leave no window behind either', { timeout: 170_000 }, (context) => {
  warmCompression()
  // Were one of the windows still counted, there would be no room for a connection of the next round.
  return leavesNothing(context, { memory: COUNT * (mostInflaterBytes(15) + mostDeflaterBytes(12)) })
})

async function leavesNothing(context: TestContext, deflate: false | DeflateOptions): Promise<void> {
  let opened = 0
  let closed = 0
  const server = createServer({
    deflate,
    open: () => void opened++,
    message: (connection, message) => void connection.send(message),
    close: () => void closed++,
  })
  await server.listen({ host: '127.0.0.1' })
  const heapBefore = heapOfThread().used
  const storm = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('../support/connectionStorm.js', import.meta.url)),
      ...[server.address?.port, COUNT, ROUNDS].map(String),
      deflate === false ? 'plain' : 'deflate',
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  context.after(async () => {
    storm.kill()
    await server.close()
  })
  const lines = createInterface({ input: storm.stdout })[Symbol.asyncIterator]()
  const memory: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    assert.equal((await lines.next()).value, `open ${COUNT}`)
    await until(() => server.connections.size === COUNT)
    storm.stdin.write('go\n')
    assert.equal((await lines.next()).value, 'closed')
    await until(() => server.connections.size === 0)
    assert.equal(opened, round * COUNT)
    assert.equal(closed, round * COUNT)
    if (deflate !== false) warmCompression() // the thread's inflation may have ended with a connection
    assert.equal(heapOfThread().used, heapBefore)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(handles(), 0)
    collect()
    memory.push(process.memoryUsage().heapUsed)
    storm.stdin.write('go\n')
  }
  // The first rounds warm up; what every connection left behind would show in the others.
  const [, , third = 0] = memory
  assert.ok((memory.at(-1) ?? 0) - third < (ROUNDS - 3) * COUNT * NOTHING, `heap after each round: ${memory}`)
}

/** TCP connections that the event loop still knows, other than those of the test itself. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 3000 && !condition(); n++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(condition())
}
