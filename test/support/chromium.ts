// Chromium for the tests, where a machine has it.
import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Why tests with Chromium can't run here; false if they can. In CI they always run, and fail without it: a suite that
 * is skipped for months looks green.
 */
export function chromiumMissing(): string | false {
  if (process.env['CI'] === 'true' || existsSync(executablePath)) return false
  return `there is no Chromium at ${executablePath}: set CHROMIUM to where it is`
}

/** Its library takes most of a second to load, so it is loaded only where a browser is there. */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  const { chromium } = await import('playwright-core')
  return chromium.launch({ executablePath, args: [...ARGUMENTS, ...more] })
}
