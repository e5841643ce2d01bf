// The page of `/conform` has a script that no compiler checks: here Chromium runs it, under its Content-Security-Policy, and
// tests its own WebSocket.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startTarget, type Target } from '../../src/target.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { effort } from '../support/effort.js'

const timeout = 120_000

describe('the page of /conform in Chromium', { skip: chromiumMissing() }, () => {
  let browser: Browser
  let target: Target

  before(async () => {
    browser = await launchChromium()
    target = await startTarget({ limits: { closeTimeout: 500 } })
  })
  after(async () => {
    await browser.close()
    await target.close()
  })

  test('runs by itself, shows the verdict, and fits a phone in light and dark', { timeout }, async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 800 } })
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(target.httpUrl)) complaints.push(request.url())
    })
    await page.goto(`${target.httpUrl}/conform${effort({ quick: '?only=5.1,5.5.2,7.4.2', full: '' })}`)
    await page.waitForSelector('body[data-state=done]', { timeout })
    assert.match((await page.textContent('#status')) ?? '', /^\d+ cases in [\d.]+ s/)
    assert.ok(Number(await page.textContent('.tiles .pass b')) >= effort({ quick: 25, full: 500 }))
    // Chromium sends reserved close codes back, which it may not.
    assert.ok(Number(await page.textContent('.tiles .fail b')) >= 10)
    assert.match((await page.textContent('details[open]')) ?? '', /code 999.*expectedClose 1002came/s)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true)
    const grounds: unknown[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      grounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
    }
    assert.notEqual(grounds[0], grounds[1])
    assert.deepEqual(complaints, [])
  })

  test('says why it can not be run, and runs again', { timeout }, async () => {
    const page = await browser.newPage()
    await page.route('**/verdict*', (route) => route.fulfill({ status: 404, body: 'There is no such run here' }))
    await page.goto(`${target.httpUrl}/conform?only=5.5.3/1`)
    await page.waitForSelector('body[data-state=failed]', { timeout })
    assert.equal(await page.textContent('#status'), 'It could not be run: There is no such run here')
    await page.unroute('**/verdict*')
    await page.click('#again')
    await page.waitForSelector('body[data-state=done]', { timeout })
    assert.equal(await page.textContent('.tiles .pass b'), '1')
  })
})
