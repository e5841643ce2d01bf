// A browser is the client that matters most and the strictest one: it fails the connection for anything that is not
// as the RFC has it, and sends what no library sends (large messages in many fragments, its own extension offers).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { effort } from '../support/effort.js'
import { visit } from './inChromium.js'
import { assertSame, binary, lengths, multiByte, type Payload, payloads } from './payloads.js'
import { longestReason, Recorder, travellingCodes } from './recorder.js'
import { type Target, targetKinds } from './targets.js'

const timeout = 60_000

describe('Chromium', { skip: chromiumMissing() }, () => {
  let browser: Browser
  let page: Page

  before(async () => {
    browser = await launchChromium(['--ignore-certificate-errors'])
    page = await browser.newPage()
  })
  after(() => browser.close())

  const kinds = targetKinds.filter(({ browsers }) => browsers)
  for (const kind of kinds.slice(0, effort({ quick: 1, full: kinds.length }))) {
    describe(kind.name, () => {
      let target: Target

      before(async () => {
        target = await kind.open()
      })
      after(() => target.close())

      test('every length comes back the same, and then Close', { timeout }, async () => {
        for (const length of lengths) await echoes(target.url, payloads(length))
      })

      test('many messages in a row come back in order', { timeout }, async () => {
        const short = Array.from({ length: effort({ quick: 300, full: 1500 }) }, (_, at) =>
          at % 3 === 0 ? binary(at, at) : `${at} ${multiByte(at)}`,
        )
        await echoes(target.url, short)
        await echoes(target.url, [binary(1_000_000), 'between', multiByte(500_000), '', binary(0), binary(65_536, 1)])
      })
    })
  }

  describe('closing', () => {
    let recorder: Recorder

    before(async () => {
      recorder = await Recorder.listen()
    })
    after(() => recorder.close())

    test("the client's code and reason reach the server, and the code comes back", { timeout }, async () => {
      for (const [code, reason] of [
        [1000, ''],
        [1000, 'auf Wiedersehen'],
        [3000, longestReason],
        [4999, '水'],
      ] as const) {
        const { received: _, ...ending } = await visit(page, { url: recorder.url, close: { code, reason } })
        assert.deepEqual(ending, { code, reason: '', wasClean: true, extensions: '' })
        assert.deepEqual(await recorder.ended.next(), { code, reason })
      }
    })

    test('a Close without a code is 1005 on both sides', { timeout }, async () => {
      const { code, wasClean } = await visit(page, { url: recorder.url, close: {} })
      assert.deepEqual({ code, wasClean }, { code: 1005, wasClean: true })
      assert.deepEqual(await recorder.ended.next(), { code: 1005, reason: '' })
    })

    test("the server's code and reason reach the client, and its answer comes back", { timeout }, async () => {
      while (recorder.opened.left > 0) await recorder.opened.next()
      for (const code of travellingCodes) {
        const visited = visit(page, { url: recorder.url, send: [] })
        const connection = await recorder.opened.next()
        connection.ping('before the end')
        connection.close(code, longestReason)
        const { received: _, ...ending } = await visited
        assert.deepEqual(ending, { code, reason: longestReason, wasClean: true, extensions: '' })
        assert.equal((await recorder.ended.next()).code, code)
      }
    })

    test('an end without Close is 1006 on both sides', { timeout }, async () => {
      const visited = visit(page, { url: recorder.url })
      ;(await recorder.opened.next()).terminate()
      assert.equal((await visited).code, 1006)
      assert.equal((await recorder.ended.next()).code, 1006)
    })

    test('a message that is too long is told so', { timeout }, async () => {
      const { code, received } = await visit(page, { url: recorder.url, send: [binary(1_048_577)], close: {} })
      assert.equal(received.length, 0)
      assert.equal(code, 1009)
      await recorder.ended.next()
    })

    test('a page that is left says 1001', { timeout }, async () => {
      const leaving = await browser.newPage()
      while (recorder.opened.left > 0) await recorder.opened.next()
      await leaving.evaluate(`void (window.socket = new WebSocket('${recorder.url}'))`)
      await recorder.opened.next()
      await leaving.close()
      assert.deepEqual(await recorder.ended.next(), { code: 1001, reason: '' })
    })
  })

  async function echoes(url: string, send: readonly Payload[]): Promise<void> {
    const { received, code, wasClean } = await visit(page, { url, send, close: { code: 1000 } })
    assert.equal(received.length, send.length)
    for (const [at, payload] of send.entries()) assertSame(received[at] ?? 'nothing', payload, `message ${at},`)
    assert.deepEqual({ code, wasClean }, { code: 1000, wasClean: true })
  }
})
