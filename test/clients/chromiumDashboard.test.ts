// The dashboard in a browser, under its Content-Security-Policy: what it shows is what the server has counted, and it is
// readable in light and dark, wide and on a phone.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startTarget, type Target } from '../../src/target.js'
import { chromiumMissing, launchChromium } from '../support/chromium.js'
import { delay } from '../support/socketClient.js'
import { WsClient } from './wsClient.js'

const timeout = 60_000

/** Waits in here: what would wait in the page is forbidden there, as it evaluates text. */
async function until(page: Page, condition: string): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if ((await page.evaluate(condition)) === true) return
    await delay(100)
  }
  assert.fail(condition)
}

describe('the dashboard in Chromium', { skip: chromiumMissing() }, () => {
  let browser: Browser
  let target: Target
  let clients: WsClient[]

  before(async () => {
    browser = await launchChromium()
    target = await startTarget()
    clients = await Promise.all([1, 2, 3].map(() => WsClient.open(`${target.url}/topics/news`)))
    const gone = await WsClient.open(`${target.url}/echo`)
    await gone.close(1000)
  })
  after(async () => {
    await browser.close()
    for (const client of clients) client.socket.terminate()
    await target.close()
  })

  async function visited(viewport: { width: number; height: number }, colorScheme: 'light' | 'dark') {
    const page = await browser.newPage({ viewport, colorScheme })
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!/^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url())) complaints.push(`asked for ${request.url()}`)
    })
    await page.goto(`http://127.0.0.1:${target.port}/`)
    await page.waitForSelector('#live[data-live=open]')
    return { page, complaints }
  }

  const tile = (page: Page, id: string): Promise<string | null> => page.textContent(`#tile-${id} span:first-child`)

  test('shows the numbers of the server, as they change', { timeout }, async () => {
    const { page, complaints } = await visited({ width: 1280, height: 900 }, 'light')
    assert.equal(await tile(page, 'connections'), '5') // the three, the page's own, and the dashboard's
    assert.equal(await tile(page, 'topics'), '1')
    assert.match((await page.textContent('#codes')) ?? '', /^10001/)
    assert.equal(await page.textContent('#violations'), 'none')
    const [first] = clients
    const talk = setInterval(() => first?.socket.send('x'.repeat(200)), 20)
    await until(page, "parseFloat(document.querySelector('#tile-received span').textContent) > 20")
    await until(page, "/ms$/.test(document.querySelector('#tile-delay span').textContent)")
    clearInterval(talk)
    assert.match((await page.textContent('#tile-cpu')) ?? '', /^\d+(?:\.\d)? %1 process$/)
    assert.match((await page.textContent('#tile-memory')) ?? '', /^\d+(?:\.\d)? MiB/)
    // Every chart is drawn: its canvas is not empty.
    const drawn = `[...document.querySelectorAll('.chart canvas')].map((canvas) =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0))`
    assert.deepEqual(await page.evaluate(drawn), Array(8).fill(true))
    assert.match((await page.textContent('#chart-latency .u-legend')) ?? '', /round trips/)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('fits a phone of 360 pixels, and follows light and dark', { timeout }, async () => {
    const { page, complaints } = await visited({ width: 360, height: 800 }, 'dark')
    await until(page, "document.querySelector('#tile-cpu span').textContent !== '–'")
    const fits = 'document.documentElement.scrollWidth <= innerWidth'
    assert.equal(await page.evaluate(fits), true)
    const wide = `[...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => one.className || one.tagName)`
    assert.deepEqual(await page.evaluate(wide), [])
    const axis = "getComputedStyle(document.documentElement).getPropertyValue('--c1')"
    const dark = await page.evaluate(axis)
    await page.emulateMedia({ colorScheme: 'light' })
    assert.notEqual(await page.evaluate(axis), dark)
    assert.equal(await page.locator('.chart canvas').count(), 8) // drawn anew, and once
    assert.equal(await page.evaluate(fits), true)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('says that it is not connected, and connects again', { timeout }, async () => {
    const { page } = await visited({ width: 800, height: 600 }, 'light')
    for (const connection of target.server.connections) {
      if (connection.request.path === '/dashboard/live') connection.close(1012)
    }
    await page.waitForSelector('#live[data-live=lost]')
    assert.equal(await page.textContent('#live'), 'Not connected (1012): trying again')
    await page.waitForSelector('#live[data-live=open]')
    await page.close()
  })
})
