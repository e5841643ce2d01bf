// A start and a reload know of each other, and so does a stop: service managers reload and stop right after they have
// started, and a loop of reloads must not fill the machine with processes.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { WsClient } from '../clients/wsClient.js'
import { effort, onlyInFull } from '../support/effort.js'
import { eventually } from '../support/socketClient.js'
import { isAlive } from './clusterProcess.js'

const PROGRAM = fileURLToPath(new URL('./startProgram.js', import.meta.url))
const options = { timeout: 60_000, skip: process.platform === 'win32' }

class Started {
  readonly child: ChildProcess
  readonly #folder = mkdtempSync(join(tmpdir(), 'millrace-start-'))
  output = ''
  errors = ''

  /** `delay`: milliseconds that the first acceptors take; those that are held wait until they are let go. */
  constructor(t: TestContext, delay: number | 'held') {
    if (delay === 'held') this.hold()
    this.child = spawn(process.execPath, [PROGRAM, this.#folder, delay === 'held' ? '0' : String(delay)], {
      stdio: 'pipe',
    })
    this.child.stdout?.on('data', (chunk) => {
      this.output += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.errors += chunk
    })
    t.after(async () => {
      this.child.kill('SIGKILL')
      await eventually(() => !this.pids.some(isAlive), 'the acceptors end with their primary')
      rmSync(this.#folder, { recursive: true })
    })
  }

  /** All acceptors that have ever begun. */
  get pids(): number[] {
    return readdirSync(this.#folder).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  }

  get alive(): number {
    return this.pids.filter(isAlive).length
  }

  get url(): string {
    return `ws://127.0.0.1:${JSON.parse(this.output).port}`
  }

  async begun(count = 2): Promise<void> {
    await eventually(() => this.pids.length === count, 'the acceptors begin', 20_000)
  }

  /** The next acceptors start as slowly as the first. */
  slowDown(): void {
    for (const place of [0, 1]) rmSync(join(this.#folder, `first-${place}`))
  }

  /** The acceptors that begin from now on do not listen before they are let go. */
  hold(): void {
    writeFileSync(join(this.#folder, 'hold'), '')
  }

  letGo(): void {
    rmSync(join(this.#folder, 'hold'))
  }

  async listening(): Promise<void> {
    await eventually(() => this.output.includes('\n'), 'it listens', 20_000)
  }
}

describe('while the first acceptors start', { skip: options.skip }, () => {
  test('SIGHUP waits for them, and is one reload however often it comes', options, async (t) => {
    const started = new Started(t, 'held')
    await started.begun()
    for (let n = 0; n < 30; n++) {
      started.child.kill('SIGHUP')
      await sleep(5)
    }
    assert.equal(started.alive, 2, 'nothing is started beside them')
    started.letGo()
    await started.listening()
    await eventually(() => started.pids.length === 4 && started.alive === 2, 'the reload replaces them', 20_000)
    await sleep(300)
    assert.equal(started.pids.length, 4)
    assert.deepEqual([started.child.exitCode, started.errors], [null, ''])
    await (await WsClient.open(started.url)).close()
  })

  for (const signal of effort({ quick: ['SIGTERM'], full: ['SIGTERM', 'SIGINT'] } as const)) {
    test(`${signal} ends them all, with 0 and without a word`, options, async (t) => {
      const started = new Started(t, 60_000)
      await started.begun()
      started.child.kill('SIGHUP')
      await sleep(50)
      started.child.kill(signal)
      assert.deepEqual(await once(started.child, 'exit'), [0, null])
      assert.equal(started.alive, 0)
      assert.equal(started.errors.replace(/^millrace: nothing was reloaded: the server is closing\n$/, ''), '')
    })
  }

  test('close ends them, and `listen` rejects with the reason', options, async (t) => {
    const started = new Started(t, 60_000)
    await started.begun()
    started.child.stdin?.write('close\n')
    const [code] = await once(started.child, 'exit')
    assert.equal(code, 1)
    assert.match(started.errors, /Error: the server was closed before all acceptors listened/)
    assert.equal(started.alive, 0)
  })
})

describe('while a reload starts acceptors', { skip: options.skip }, () => {
  test('SIGTERM ends them, with 0, and closes what the old ones serve', options, async (t) => {
    const started = new Started(t, 1500)
    await started.listening()
    const client = await WsClient.open(started.url)
    started.slowDown()
    started.child.kill('SIGHUP')
    await started.begun(4)
    started.child.kill('SIGTERM')
    assert.equal((await client.ended).code, 1001)
    assert.deepEqual(await once(started.child, 'exit'), [0, null])
    assert.equal(started.errors, 'millrace: nothing was reloaded: the server is closing\n')
    assert.equal(started.alive, 0)
  })

  test('the old ones serve on, and one of them that dies is replaced', options, async (t) => {
    const started = new Started(t, 1500)
    await started.listening()
    const client = await WsClient.open(started.url)
    const serving = Number(await client.messages.next())
    const [other = 0] = started.pids.filter((pid) => pid !== serving)
    started.slowDown()
    started.child.kill('SIGHUP')
    await started.begun(4)
    process.kill(other, 'SIGKILL')
    assert.equal((await client.ended).code, 1012)
    await eventually(() => started.alive === 2, 'the new ones are left', 20_000)
    assert.match(started.errors, /^millrace: acceptor \d+ was killed by SIGKILL; another starts in 100 ms\n/)
    await (await WsClient.open(started.url)).close()
  })
})

describe('a storm of reloads', { skip: options.skip }, () => {
  test('30 while the first of them is under way are two', options, async (t) => {
    const started = new Started(t, 0)
    await started.listening()
    let most = 0
    started.hold()
    for (let n = 0; n < 30; n++) {
      started.child.kill('SIGHUP')
      if (n === 0) await started.begun(4)
      await sleep(5)
      most = Math.max(most, started.alive)
    }
    started.letGo()
    await eventually(
      () => {
        most = Math.max(most, started.alive)
        return started.pids.length === 6 && started.alive === 2
      },
      'two reloads are done',
      20_000,
    )
    await sleep(300)
    assert.ok(started.pids.length <= 6, `${started.pids.length} acceptors were started`)
    assert.ok(most <= 6, `${most} acceptors at once`)
    assert.equal(started.alive, 2)
    await (await WsClient.open(started.url)).close()
  })

  test('one after the other, there are never more than three times the acceptors', {
    ...options,
    skip: options.skip || onlyInFull,
  }, async (t) => {
    const started = new Started(t, 0)
    await started.listening()
    const clients: WsClient[] = []
    let most = 0
    const end = performance.now() + 1500
    for (; performance.now() < end || started.pids.length < 4; await sleep(20)) {
      started.child.kill('SIGHUP')
      if (clients.length < 50) clients.push(await WsClient.open(started.url))
      most = Math.max(most, started.alive)
    }
    assert.ok(most <= 6, `${most} acceptors at once`)
    for (const { ended, socket } of clients) {
      if (socket.readyState !== socket.OPEN) assert.equal((await ended).code, 1012)
    }
    assert.equal(started.child.exitCode, null)
    started.child.kill('SIGTERM')
    assert.deepEqual(await once(started.child, 'exit'), [0, null])
  })
})
