// A copy of this checkout as it is built, whose servers count no messages: what counting takes is what they do not.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FIN, OPCODE_BINARY } from '../../src/codec/frames.js'

type CountsModule = typeof import('../../src/metrics/counts.js')

const COUNTS = 'dist/src/metrics/counts.js'
/** What takes the place of all that is called for each message, or for a batch of them. */
const NOTHING = `
Object.assign(Counts.prototype, { arrived: () => 0, sent: () => 0, encoded() {}, tallied() {} })
`

/** Makes the copy. Rejects with an Error if what it has still counts. */
export async function withoutCounting(root: string): Promise<{ readonly folder: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'without-counting-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    cpSync(join(root, 'dist/src'), join(folder, 'dist/src'), { recursive: true })
    cpSync(join(root, 'package.json'), join(folder, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
    const path = join(folder, COUNTS)
    writeFileSync(path, `${readFileSync(path, 'utf8')}${NOTHING}`)
    await mustNotCount(path)
  } catch (error) {
    remove()
    throw error
  }
  return { folder, remove }
}

async function mustNotCount(path: string): Promise<void> {
  const { Counts }: CountsModule = await import(pathToFileURL(path).href)
  const counts = new Counts()
  counts.arrived(FIN | OPCODE_BINARY, 20, 0)
  counts.sent(Uint8Array.of(FIN | OPCODE_BINARY, 1, 0), 0, 3, 0)
  if (counts.values.some((value) => value !== 0))
    throw new Error(`${path} counts still: its methods have other names now`)
}
