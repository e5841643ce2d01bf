// A server under measurement, of one of the two checkouts.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MeasuredServer } from '../support/measuredServer.js'

export type Mode = 'echo' | 'publish'

const PROGRAM = fileURLToPath(new URL('./server.js', import.meta.url))

/** The folder of a built checkout as an absolute path. Throws an Error where nothing is built. */
export function builtCheckout(folder: string): string {
  const checkout = resolve(folder)
  if (existsSync(join(checkout, 'dist/src/index.js'))) return checkout
  throw new Error(`${folder} is no built checkout: there is no dist/src/index.js in it`)
}

/** Starts the server of a built checkout. */
export function openTarget(checkout: string, mode: Mode): Promise<MeasuredServer> {
  return MeasuredServer.open(PROGRAM, [checkout, mode])
}
