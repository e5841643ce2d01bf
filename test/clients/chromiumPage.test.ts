// The page is the first thing a person sees of millrace, and its script is checked by no compiler: here a browser
// presses its buttons, under its Content-Security-Policy.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Server } from '../../src/index.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { createEchoServer } from '../support/echoServer.js'
import { effort } from '../support/effort.js'

const timeout = 60_000

describe('the page in Chromium', { skip: chromiumMissing() }, () => {
  let browser: Browser
  let server: Server
  let page: Page
  /** What the browser complained about. */
  let complaints: string[]

  before(async () => {
    browser = await launchChromium()
    server = await createEchoServer().listen({ host: '127.0.0.1' })
  })
  after(async () => {
    await browser.close()
    await server.close()
  })
  beforeEach(async () => {
    complaints = []
    page = await browser.newPage({ viewport: { width: 360, height: 800 } })
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!/^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url())) complaints.push(`asked for ${request.url()}`)
    })
    await page.goto(`http://127.0.0.1:${server.address?.port}/`)
    await page.waitForSelector('#state[data-state=open]')
  })
  afterEach(async () => {
    await page.close()
    assert.deepEqual(complaints, [])
  })

  for (const [id, count] of [
    ['send-7-bit', '125 bytes'],
    ['send-16-bit', '65,535 bytes'],
    ['send-64-bit', '1,048,576 bytes'],
  ] as const) {
    const one = id === 'send-16-bit' ? 'binary' : 'text'
    for (const kind of effort({ quick: [one], full: ['text', 'binary'] } as const)) {
      test(`#${id} as ${kind}`, { timeout }, async () => {
        await page.check(`#as-${kind}`)
        await page.click(`#${id}`)
        await page.waitForSelector('#log > [data-verdict=right]')
        assert.equal(await page.textContent('#log .what'), `${count} of ${kind}`)
        assert.equal(await page.textContent('#log .verdict'), 'every byte is right')
        assert.match((await page.textContent('#log .time')) ?? '', /^\d+\.\d{1,2} ms$/)
        assert.notEqual(await page.textContent('#log .back'), '')
      })
    }
  }

  test('own text, shown as it came back and never as HTML', { timeout }, async () => {
    await page.fill('#own-text', '<b>Grüße</b> 水 🌊')
    await page.press('#own-text', 'Enter')
    await page.waitForSelector('#log > [data-verdict=right]')
    assert.equal(await page.textContent('#log .back'), '<b>Grüße</b> 水 🌊')
    assert.equal(await page.textContent('#log .what'), '23 bytes of text')
    await page.check('#as-binary')
    await page.fill('#own-text', 'AB')
    await page.click('#send-own')
    await page.waitForSelector('#log > :nth-child(2)')
    await page.waitForSelector('#log > :first-child[data-verdict=right]')
    assert.equal(await page.textContent('#log > :first-child .back'), '41 42')
    assert.match((await page.textContent('#announcement')) ?? '', /^2 bytes of binary: every byte is right, /)
  })

  test('close, and reconnect with the keyboard', { timeout }, async () => {
    await page.click('#close')
    await page.waitForSelector('#state[data-state=closed]')
    assert.equal(await page.textContent('#close-code'), 'Close code 1000')
    assert.equal(await page.isDisabled('#send-7-bit'), true)
    assert.equal(await page.evaluate('document.activeElement.id'), 'reconnect')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#state[data-state=open]')
    await page.click('#send-7-bit')
    await page.waitForSelector('#log > [data-verdict=right]')
  })

  test('what the server closes with is shown', { timeout }, async () => {
    for (const connection of server.connections) connection.close(4321, 'enough for today')
    await page.waitForSelector('#state[data-state=closed]')
    assert.equal(await page.textContent('#close-code'), 'Close code 4321: enough for today')
    await page.click('#reconnect')
    await page.waitForSelector('#state[data-state=open]')
    for (const connection of server.connections) connection.terminate()
    await page.waitForSelector('#state[data-state=lost]')
    assert.equal(await page.textContent('#close-code'), 'Close code 1006')
  })

  test('the log stays short, and the page fits a phone', { timeout }, async () => {
    for (let at = 0; at < 12; at++) await page.click('#send-7-bit')
    await page.waitForSelector('#log:not(:has(> [data-verdict=waiting])) > :nth-child(8)')
    assert.equal(await page.locator('#log > *').count(), 8)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
  })

  test('every control has a name, and light and dark differ', { timeout }, async () => {
    const nameless = `[...document.querySelectorAll('button, input')].filter((control) =>
      !(control.labels?.[0] ?? control).textContent.trim()).map((control) => control.id)`
    assert.deepEqual(await page.evaluate(nameless), [])
    const grounds: unknown[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      grounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
    }
    assert.notEqual(grounds[0], grounds[1])
  })
})
