// A thread that is told to end may be in the system, which still writes where it was told to: the memory of its message
// must be nobody else's until the thread is gone. A pipe keeps it there for as long as the test likes.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Message } from '../../src/index.js'
import { Books } from '../faults/books.js'
import { BINARY, closeStatus, masked, TEXT } from '../support/frames.js'
import { transports } from '../support/places.js'
import { delay, eventually } from '../support/socketClient.js'
import { PADDING } from './largeModule.js'

const module = new URL('./largeModule.js', import.meta.url)
const TIMEOUT = 3000
const KEPT = 8

for (const { transport, publicApi } of transports) {
  const skip = process.platform === 'win32' ? 'no pipes with names' : false
  test(`with ${transport}, a message's memory stays until its thread is gone`, { skip }, async (t) => {
    const path = join(tmpdir(), `millrace-${process.pid}-${Number(publicApi)}.pipe`)
    execFileSync('mkfifo', [path])
    const kept: Message[] = []
    const done: (() => void)[] = []
    const books = await Books.open(t, {
      publicApi,
      large: { module, threads: 1, timeout: TIMEOUT, threshold: 90_000 },
      message: (_, message) => {
        kept.push(message)
        return new Promise<void>((resolve) => done.push(resolve))
      },
    })
    const pipe = await open(path, constants.O_RDWR) // both ends, so that neither side waits for the other to open
    t.after(async () => {
      await pipe.close()
      await rm(path, { force: true })
    })
    const [bad, good] = [await books.dial(), await books.dial()]
    bad.write(masked(TEXT, `read ${path} ${PADDING}${PADDING}`))
    // Timers of one process run in their order: when this one does, the thread was told to end a second ago.
    await eventually(() => books.budget.used > 0, 'the message is there', 60_000)
    await delay(TIMEOUT + 1500)
    const wasThere = books.errors.length === 0 && bad.receivedFrames.length === 0
    for (let n = 0; n < KEPT; n++) good.write(masked(BINARY, Buffer.alloc(80_000, n)))
    await eventually(() => kept.length === KEPT, 'the others are there', 60_000)
    await pipe.write(Buffer.alloc(60_000, 0xee))
    await eventually(() => bad.receivedFrames.length > 0, 'the thread is gone', 60_000)
    for (const [n, message] of kept.entries()) assert.ok(message.bytes.equals(Buffer.alloc(80_000, n)), `message ${n}`)
    assert.ok(wasThere, 'the message was given up before its thread was')
    assert.equal(closeStatus(bad.receivedFrames[0])?.code, 1011)
    assert.match(books.errors.join(), /longer than large\.timeout/)
    for (const resolve of done) resolve()
    for (const client of [bad, good]) await client.destroy()
    await books.settled()
  })
}
