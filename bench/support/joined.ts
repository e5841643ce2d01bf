// Whether what was built is what is published. `npm run build:server` leaves the modules apart, and Node reads, compiles and
// links each of them on its own: what an import takes then is not what it takes a user.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './publish.js'

/** What the module that a program imports hands on, where the modules are joined. */
const HANDED_ON = /\bfrom\s*['"]\.\/pool\/joined\.js['"]/

/** Throws an Error where the modules in `dist` of a folder are apart. */
export function checkJoined(folder: string = root): void {
  if (HANDED_ON.test(readFileSync(join(folder, 'dist', 'src', 'index.js'), 'utf8'))) return
  throw new Error(
    'the modules in dist are apart, so an import takes longer than that of what is published: run npm run build',
  )
}
