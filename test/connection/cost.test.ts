// What an echo costs in what can be counted, and is the same on every machine: bytes that JavaScript allocates, and calls of
// the system. Time is for the benchmarks. The bounds leave room for another version of Node.js, but not for another call
// per message, nor for an allocation of some hundred bytes.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { effort, onlyInFull } from '../support/effort.js'
import { BINARY, type Frame, masked, readFrames, TEXT } from '../support/frames.js'
import { delay, SocketClient } from '../support/socketClient.js'
import type { Allocated } from './costProgram.js'

const PROGRAM = fileURLToPath(new URL('./costProgram.js', import.meta.url))
const ECHOES = 1000
/** Echoes before those that count: the compiler of the server must be done with it. */
const WARM = 2000
const ATTEMPTS = effort({ quick: 4, full: 8 })
/** Room for what 1,000 echoes allocate, so that nothing is collected meanwhile. */
const YOUNG = ['--min-semi-space-size=64', '--max-semi-space-size=64']

interface Cost {
  readonly size: number
  /** Messages in one write, which are answered before the next one. */
  readonly batch: number
  /** Most bytes and most calls of 1,000 echoes, by Node's private API and by its public one. */
  readonly most: Readonly<Record<Lane, readonly [bytes: number, calls: number]>>
}

type Lane = 'private' | 'public'

const costs: readonly Cost[] = [
  { size: 20, batch: 1, most: { private: [500_000, 4000], public: [2_500_000, 4000] } },
  { size: 20, batch: 64, most: { private: [300_000, 250], public: [350_000, 250] } },
  { size: 1024, batch: 1, most: { private: [500_000, 4000], public: [2_500_000, 4000] } },
]

const folder = mkdtempSync(join(tmpdir(), 'millrace-cost-'))
after(() => rmSync(folder, { recursive: true }))

/** A connection that is asked, and answers in so many frames. */
class Exchange {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#socket = socket
  }

  async ask(bytes: Buffer, answers = 1): Promise<Frame | undefined> {
    this.#socket.write(bytes)
    for (let count = 0; ; ) {
      const [chunk]: Buffer[] = await once(this.#socket, 'data')
      const { frames, rest } = readFrames(Buffer.concat([this.#rest, ...(chunk === undefined ? [] : [chunk])]))
      this.#rest = rest
      count += frames.length
      if (count >= answers) return frames.at(-1)
    }
  }

  /** Sends messages in batches, each when the one before is answered. */
  async echo({ size, batch }: Cost, echoes: number): Promise<void> {
    const messages = Buffer.concat(new Array(batch).fill(masked(BINARY, Buffer.alloc(size, 'echo'))))
    const { length } = messages
    for (let left = echoes; left > 0; left -= batch) {
      const now = Math.min(batch, left)
      await this.ask(messages.subarray(0, (length / batch) * now), now)
    }
  }

  /** The cost of 1,000 echoes, as the server sees it. */
  async counted(cost: Cost): Promise<Allocated> {
    await this.ask(masked(TEXT, 'begin'))
    await delay(20)
    await this.echo(cost, ECHOES)
    const answer = await this.ask(masked(TEXT, 'end'))
    return JSON.parse(String(answer?.payload))
  }
}

/** Starts the server with these words before its program; resolves with a connection. */
async function started(t: TestContext, lane: Lane, [program = '', ...args]: readonly string[]): Promise<Exchange> {
  const env = { ...process.env, MILLRACE_PUBLIC_API: lane === 'public' ? '1' : '' }
  const child = spawn(program, [...args, PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const ended = once(child, 'close')
  const [port] = await once(createInterface({ input: child.stdout }), 'line')
  const { socket } = await SocketClient.upgraded(Number(port))
  socket.removeAllListeners('data').resume()
  t.after(async () => {
    socket.destroy() // and the server ends
    await ended
  })
  return new Exchange(socket)
}

const strace = onlyInFull === false && spawnSync('strace', ['-f', 'true']).status === 0

/** Calls by which V8 waits for its own threads, and gets memory for what it compiles: no message makes them. */
const ITS_OWN = /^\d+ +(?:futex|madvise|mprotect|mmap|munmap|brk|sched_yield|pkey_mprotect)\(/

/** Calls of the main thread between the marks, of the attempt that made the fewest. */
function callsIn(file: string): number {
  const attempts = readFileSync(file, 'latin1').matchAll(/^(\d+) .*"\/begin".*\n([\s\S]*?)"\/end"/gm)
  const counts = [...attempts].map(([, thread = '', between = '']) => {
    const lines = between.split('\n').slice(0, -1)
    const ofMessages = lines.filter((line) => line.startsWith(`${thread} `) && !ITS_OWN.test(line))
    return ofMessages.filter((line) => !line.includes('resumed>')).length
  })
  return Math.min(...counts)
}

for (const lane of ['private', 'public'] as const) {
  describe(`1,000 echoes by the ${lane} API of Node.js`, () => {
    for (const cost of costs) {
      const { size, batch, most } = cost
      const [mostBytes, mostCalls] = most[lane]
      const title = `of ${size} bytes, ${batch} at once`
      const file = join(folder, `${lane}-${size}-${batch}`)

      test(`${title}, allocate at most ${mostBytes} bytes`, async (t) => {
        const watched = strace ? ['strace', '-f', '-qq', '-o', file] : []
        const client = await started(t, lane, [...watched, process.execPath, ...YOUNG])
        await client.echo(cost, WARM)
        const found: Allocated[] = []
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) found.push(await client.counted(cost))
        const known = found.flatMap(({ bytes, collections }) => (collections === 0 && bytes > 0 ? [bytes] : []))
        const least = Math.min(...known)
        t.diagnostic(`${least} bytes, of ${known}`)
        assert.ok(least <= mostBytes, `${least} bytes`)
      })

      const skip = onlyInFull || (!strace && 'strace is not here, or may not watch other processes')
      test(`${title}, call the system at most ${mostCalls} times`, { skip }, (t) => {
        const calls = callsIn(file)
        t.diagnostic(`${calls} calls`)
        assert.ok(calls > 0 && calls <= mostCalls, `${calls} calls`)
      })
    }
  })
}
