// Loads the module of `millrace bench --script`: each process of a load has it for itself.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LoadScript } from './loadScript.js'

const HOOKS = ['open', 'message', 'tick'] as const

/** The hooks that a file exports. Rejects with an Error that says what is wrong with it. */
export async function scriptIn(file: string): Promise<LoadScript> {
  const exported = await exportsOf(file)
  const hooks = HOOKS.map((name) => [name, exported[name]] as const).filter(([, hook]) => hook !== undefined)
  const [wrong] = hooks.find(([, hook]) => typeof hook !== 'function') ?? []
  if (wrong !== undefined) throw new Error(`${file} exports ${wrong}, but not as a function`)
  if (hooks.length === 0) throw new Error(`${file} exports none of ${HOOKS.join(', ')}`)
  return Object.fromEntries(hooks)
}

async function exportsOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    const [said = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
    throw new Error(`${file} can't be loaded (${said})`)
  }
}
