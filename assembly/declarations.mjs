// Leaves only the declarations that a user's compiler can reach from the package's entries: nobody would use the others,
// and they are half of all. Those that are written by hand are put beside them. The build runs it after the compiler.
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const shipped = join(root, 'dist/src')
const reached = new Set()

// Those of `millrace/ws`, which are the types of another package.
cpSync(join(root, 'src/ws/types'), join(shipped, 'ws/types'), { recursive: true })

function reach(path) {
  if (reached.has(path)) return
  reached.add(path)
  for (const [, specifier] of readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
    reach(resolve(dirname(path), specifier.replace(/\.js$/, '.d.ts')))
  }
}

for (const { types } of Object.values(entries)) if (typeof types === 'string') reach(resolve(root, types))
for (const name of readdirSync(shipped, { recursive: true })) {
  const path = join(shipped, name)
  if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
}
