// The list of a target's paths as plain text, from their table: for a person with curl, and for the answer 404.
import { asking } from './need.js'
import type { PathDescription } from './path.js'
import type { TargetContext } from './targetContext.js'

/** What the list needs to know of a target. */
export type Listed = Pick<TargetContext, 'bounds' | 'allows'>

export function listOf(paths: readonly PathDescription[], target: Listed): string {
  return paths.map((path) => `${entryOf(path, target)}\n`).join('')
}

function entryOf({ path, about, example, parameters, needs }: PathDescription, { bounds, allows }: Listed): string {
  const closed = needs === undefined || allows.has(needs) ? '' : ` (only with ${asking[needs]})`
  const lines = Object.entries(parameters).map(([name, { about: what, shown, words }]) => {
    const byDefault = shown === '' ? '' : `; ${shown} if it is left out`
    return `    ${name}: ${what}; ${words(bounds)}${byDefault}`
  })
  const shown = example === path ? [] : [`    example: ${example}`]
  return [`${path}: ${about}${closed}`, ...lines, ...shown].join('\n')
}
