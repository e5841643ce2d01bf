// `/conform` of the target tests whoever connects: a client that keeps the rules passes, one that breaks one fails there, and
// what strangers can have it do is bounded.
import assert from 'node:assert/strict'
import { connect as connectTcp, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { connect } from '../../src/client.js'
import type { RunList, RunVerdict } from '../../src/conform/served/runs.js'
import { startTarget, type Target } from '../../src/target.js'
import { WsClient } from '../clients/wsClient.js'
import { effort } from '../support/effort.js'
import type { Ending } from '../support/serving.js'

const options = { timeout: 120_000 }

async function targetOf(t: Ending): Promise<Target> {
  const target = await startTarget({ limits: { closeTimeout: 500 } })
  t.after(() => target.close())
  return target
}

async function listOf({ httpUrl }: Target, only = ''): Promise<RunList> {
  const response = await fetch(`${httpUrl}/conform${only === '' ? '' : `?only=${only}`}`)
  return (await response.json()) as RunList
}

async function verdictOf({ httpUrl }: Target, run: string): Promise<RunVerdict> {
  const response = await fetch(`${httpUrl}/conform/verdict?run=${run}`)
  assert.equal(response.status, 200)
  return (await response.json()) as RunVerdict
}

/** Runs all cases of a list with a client of this project, which sends every message back. */
async function runWith(target: Target, { cases, run }: RunList): Promise<RunVerdict> {
  const left = cases.values()
  const work = async (): Promise<void> => {
    for (const { path } of left) await echo(`${target.url}${path}`)
  }
  await Promise.all(Array.from({ length: 8 }, work))
  for (let tries = 0; tries < 100; tries++) {
    const verdict = await verdictOf(target, run)
    if (verdict.cases.length === cases.length) return verdict
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return verdictOf(target, run)
}

function echo(url: string): Promise<void> {
  return new Promise((resolve) => {
    const connecting = connect(url, {
      deflate: true,
      message: (connection, message) => void connection.send(message),
      close: () => resolve(),
      error: () => undefined,
    })
    connecting.catch(() => resolve())
  })
}

describe('a client that keeps the rules', () => {
  test('passes all cases', options, async (t) => {
    const target = await targetOf(t)
    const list = await listOf(target, effort({ quick: '4.1,5.1,5.5,7692-5,7692-7.1', full: '' }))
    const { counts, cases, subject } = await runWith(target, list)
    assert.deepEqual(
      cases.filter(({ verdict }) => !['pass', 'skipped'].includes(verdict)).map(({ id, came }) => `${id}: ${came}`),
      [],
    )
    assert.equal(cases.length, list.cases.length)
    assert.ok(counts.pass > 80)
    assert.equal(subject, 'a client without a name')
  })
})

/** A client by hand: what it does once the target has answered. */
async function byHand(target: Target, path: string, act: (socket: Socket, bytes: Buffer) => void): Promise<void> {
  const socket = connectTcp(target.port ?? 0, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nUser-Agent: <by hand>\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
  socket.on('data', (bytes) => act(socket, bytes))
  await new Promise((resolve) => socket.on('close', resolve))
}

describe('a client that breaks a rule', { concurrency: 4 }, () => {
  const run = 'by-hand'
  for (const [name, id, act, came] of [
    ['sends frames without a mask', '5.5.2/1', (socket: Socket) => socket.write(Buffer.of(0x8a, 0)), /unmasked frame/],
    [
      'takes a wrong Sec-WebSocket-Accept',
      '4.1/26',
      (socket: Socket) => socket.write(Buffer.concat([Buffer.of(0x81, 0x85, 0, 0, 0, 0), Buffer.from('taken')])),
      /^text of 5 bytes/,
    ],
    [
      'sends other text back',
      '4.1/1',
      (socket: Socket) => socket.write(Buffer.of(0x81, 0x81, 0, 0, 0, 0, 65)),
      /^text of 1 byte/,
    ],
    ['uses one key for all', '5.3/12', echoWithOneKey(), /^1 for all of them/],
    ['leaves without a Close frame', '5.1/1', (socket: Socket) => socket.end(), /without a Close frame/],
    ['resets', '5.5.2/1', (socket: Socket) => socket.resetAndDestroy(), /cut|end of the TCP/],
  ] as const) {
    test(name, options, async (t) => {
      const target = await targetOf(t)
      await byHand(target, `/conform/${id}?run=${run}`, act)
      await new Promise((resolve) => setTimeout(resolve, 50))
      const { cases, subject } = await verdictOf(target, run)
      assert.equal(subject, '<by hand>')
      assert.equal(cases.length, 1)
      assert.match(cases[0]?.verdict ?? '', /fail|non-strict/)
      assert.match(cases[0]?.came ?? '', came)
    })
  }
})

/** Sends each text back, masked with the same key. */
function echoWithOneKey(): (socket: Socket, bytes: Buffer) => void {
  return (socket, bytes) => {
    for (let at = bytes.indexOf('the same words'); at >= 0; at = bytes.indexOf('the same words', at + 1)) {
      const key = Buffer.of(1, 2, 3, 4)
      const text = Buffer.from('the same words').map((byte, index) => byte ^ (key[index & 3] ?? 0))
      socket.write(Buffer.concat([Buffer.of(0x81, 0x80 | text.length), key, text]))
    }
  }
}

describe('what is served', () => {
  test('a client that connects gets the list, and the end', options, async (t) => {
    const target = await targetOf(t)
    const client = await WsClient.open(`${target.url}/conform?only=5.5.3`)
    const list: RunList = JSON.parse(String(await client.messages.next()))
    assert.equal((await client.ended).code, 1000)
    assert.equal(list.cases.length, 8)
    assert.equal(list.cases[0]?.path, `/conform/5.5.3/1?run=${list.run}`)
  })

  test('what is not there is refused with a sentence', options, async (t) => {
    const target = await targetOf(t)
    assert.equal((await fetch(`${target.httpUrl}/conform/verdict?run=none`)).status, 404)
    assert.equal((await fetch(`${target.httpUrl}/conform/5.5/1`)).status, 426)
    await assert.rejects(connect(`${target.url}/conform/5.5/999`), /refused: 404/)
    await assert.rejects(connect(`${target.url}/conform/5.5/1?run=%2F`), /refused: 400/)
  })

  test('beyond loopback it answers only where it is asked for', options, async (t) => {
    const target = await startTarget({ faults: false, limits: { closeTimeout: 500 } })
    t.after(() => target.close())
    assert.equal((await fetch(`${target.httpUrl}/conform`)).status, 403)
    await assert.rejects(connect(`${target.url}/conform/5.5/1`), /refused: 403/)
  })

  test('runs and cases are bounded', options, async (t) => {
    const target = await targetOf(t)
    for (let at = 0; at < 101; at++)
      await byHand(target, `/conform/5.5.2/1?run=r${at}`, (socket) => socket.resetAndDestroy())
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal((await fetch(`${target.httpUrl}/conform/verdict?run=r0`)).status, 404)
    assert.equal((await fetch(`${target.httpUrl}/conform/verdict?run=r100`)).status, 200)
    const answers: string[] = []
    const sockets = Array.from({ length: 70 }, () =>
      byHand(target, '/conform/5.5.2/1', (socket, bytes) => {
        answers.push(bytes.toString('latin1', 0, 12))
        if (answers.length >= 70) for (const one of open) one.destroy()
        open.push(socket)
      }),
    )
    const open: Socket[] = []
    while (answers.length < 70) await new Promise((resolve) => setTimeout(resolve, 20))
    for (const socket of open) socket.destroy()
    await Promise.all(sockets)
    assert.equal(answers.filter((answer) => answer === 'HTTP/1.1 503').length, 6)
  })
})
