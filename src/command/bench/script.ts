// Loads the script of `--script`, and tells what is wrong with it in a line.
import type { LoadOptions } from '../../load/load.js'
import type { LoadScript } from '../../load/loadScript.js'
import { scriptIn } from '../../load/scriptFile.js'
import { UsageError } from '../options.js'

/** The load, with the hooks that the file exports. Throws a UsageError for a file that has none. */
export async function withScript(load: LoadOptions, file: string | undefined): Promise<LoadOptions> {
  if (file === undefined) return load
  const script = await hooksIn(file)
  if (script.tick !== undefined && load.rate === 0)
    throw new UsageError('--script: the script has a tick, so say with --rate how often it is called in a second')
  if (script.tick === undefined && load.rate > 0)
    throw new UsageError('--script: --rate says how often tick is called, and the script exports none')
  return { ...load, pattern: { name: 'script', script, file } }
}

async function hooksIn(file: string): Promise<LoadScript> {
  try {
    return await scriptIn(file)
  } catch (error) {
    throw new UsageError(`--script: ${error instanceof Error ? error.message : error}`)
  }
}
