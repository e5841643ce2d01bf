// Joins the modules that a server needs into one file: Node reads, compiles and links each file on its own, and that took
// most of the time in which a program imports millrace. The files stay where they are, and hand on what the joined one
// exports: so each module exists once, whichever path it is imported by.
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

/** In the folder of the pool, because the pool looks for the file of its threads beside its own. */
const JOINED = 'pool/joined.js'
const ENTRIES = ['index.js', 'redis.js', 'ws.js']

/** Joins the modules in `folder`, the compiled src. */
export async function joinModules(folder) {
  if (!ENTRIES.every((entry) => existsSync(join(folder, entry)))) return
  const { build } = await import('esbuild')
  const options = { absWorkingDir: folder, bundle: true, platform: 'node', format: 'esm', packages: 'external' }
  const { metafile } = await build({ ...options, entryPoints: ENTRIES, outdir: '.', write: false, metafile: true })
  if (JOINED in metafile.inputs) return // they are joined already
  const modules = []
  for (const path of Object.keys(metafile.inputs).toSorted()) {
    const names = Object.keys(await import(pathToFileURL(join(folder, path)).href))
    if (names.length > 0)
      modules.push({ path, exported: names.map((name) => [name, `${name.replace(/\W/g, '_')}_${modules.length}`]) })
  }
  const all = modules.map(({ path, exported }) => handOn(`./${path}`, exported)).join('')
  await build({ ...options, stdin: { contents: all, resolveDir: folder }, outfile: JOINED, target: 'node20.19' })
  for (const { path, exported } of modules) {
    const joined = relative(dirname(join(folder, path)), join(folder, JOINED))
      .split(sep)
      .join('/')
    const swapped = exported.map(([name, unique]) => [unique, name])
    writeFileSync(join(folder, path), handOn(joined.startsWith('.') ? joined : `./${joined}`, swapped))
  }
}

/** A line that exports names of another module by other names. */
function handOn(path, names) {
  return `export { ${names.map(([name, other]) => `${nameOf(name)} as ${nameOf(other)}`).join(', ')} } from '${path}'\n`
}

/** A name as an export has it: one that is no identifier stands in quotes. */
function nameOf(name) {
  return /^\w+$/.test(name) ? name : `'${name}'`
}
