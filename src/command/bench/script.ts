// Loads the script of `--script`, and tells what is wrong with it in a line.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LoadOptions } from '../../load/load.js'
import type { LoadScript } from '../../load/loadScript.js'
import { UsageError } from '../options.js'

const HOOKS = ['open', 'message', 'tick'] as const

/** The load, with the hooks that the file exports. Throws a UsageError for a file that has none. */
export async function withScript(load: LoadOptions, file: string | undefined): Promise<LoadOptions> {
  if (file === undefined) return load
  const script = await hooksIn(file)
  if (script.tick !== undefined && load.rate === 0)
    throw new UsageError('--script: the script has a tick, so say with --rate how often it is called in a second')
  if (script.tick === undefined && load.rate > 0)
    throw new UsageError('--script: --rate says how often tick is called, and the script exports none')
  return { ...load, pattern: { name: 'script', script } }
}

async function hooksIn(file: string): Promise<LoadScript> {
  const exported = await exportsOf(file)
  const hooks = HOOKS.map((name) => [name, exported[name]] as const).filter(([, hook]) => hook !== undefined)
  const [wrong] = hooks.find(([, hook]) => typeof hook !== 'function') ?? []
  if (wrong !== undefined) throw new UsageError(`--script: ${file} exports ${wrong}, but not as a function`)
  if (hooks.length === 0) throw new UsageError(`--script: ${file} exports none of ${HOOKS.join(', ')}`)
  return Object.fromEntries(hooks)
}

async function exportsOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    const [said = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
    throw new UsageError(`--script: ${file} can't be loaded (${said})`)
  }
}
