// Joins the modules that a server needs into one file: Node reads, compiles and links each file on its own, and that took
// most of the time in which a program imports millrace. The files stay where they are, and hand on what the joined one
// exports: so each module exists once, whichever path it is imported by. What only `millrace/ws` needs is joined into a second
// file, which a server without it does not load.
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The joined files, with what they are for, in the order in which they need each other. The first is in the folder of the
 * pool, because the pool looks for the file of its threads beside its own.
 */
const JOINED = [
  { file: 'pool/joined.js', entries: ['index.js', 'redis.js', 'nats.js'] },
  { file: 'ws/joined.js', entries: ['ws.js'] },
]

/** Without indentation, there is a fifth less to read; the lines stay short, so that a stack trace names a place. */
export const AS_SHIPPED = { minifyWhitespace: true, lineLimit: 120, target: 'node20.19' }

/** Joins the modules in `folder`, the compiled src. */
export async function joinModules(folder) {
  if (!JOINED.every(({ entries }) => entries.every((entry) => existsSync(join(folder, entry))))) return
  const done = new Set()
  for (const { file, entries } of JOINED) {
    const needed = await neededBy(folder, entries)
    if (needed.includes(file)) return // they are joined already
    const modules = await modulesOf(
      folder,
      needed.filter((path) => !done.has(path)),
    )
    await joinInto(folder, file, modules)
    for (const { path, exported } of modules) {
      const swapped = exported.map(([name, unique]) => [unique, name])
      writeFileSync(join(folder, path), handOn(fromTo(path, file), swapped))
      done.add(path)
    }
    done.add(file)
  }
}

/** The files that the entries import, directly or not, and themselves. */
async function neededBy(folder, entries) {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    ...options(folder),
    entryPoints: entries,
    outdir: '.',
    write: false,
    metafile: true,
  })
  return Object.keys(metafile.inputs).toSorted()
}

/** What those files export, each under a name that no other export has. */
async function modulesOf(folder, paths) {
  const modules = []
  for (const path of paths) {
    const names = Object.keys(await import(pathToFileURL(join(folder, path)).href))
    if (names.length > 0)
      modules.push({ path, exported: names.map((name) => [name, `${name.replace(/\W/g, '_')}_${modules.length}`]) })
  }
  return modules
}

async function joinInto(folder, file, modules) {
  const { build } = await import('esbuild')
  const contents = modules.map(({ path, exported }) => handOn(`./${path}`, exported)).join('')
  const plugins = [{ name: 'joined', setup: (builder) => leaveOut(builder, folder, file) }]
  const stdin = { contents, resolveDir: folder }
  const { outputFiles } = await build({
    ...options(folder),
    ...AS_SHIPPED,
    stdin,
    plugins,
    outfile: file,
    write: false,
  })
  for (const { path, text } of outputFiles) writeFileSync(path, withoutFacades(text))
}

function options(folder) {
  return { absWorkingDir: folder, bundle: true, platform: 'node', format: 'esm', packages: 'external' }
}

/** What other joined files hold is imported from there. */
function leaveOut(builder, folder, file) {
  builder.onResolve({ filter: /\bjoined\.js$/ }, ({ path, resolveDir }) => {
    return { path: fromTo(file, relative(folder, resolve(resolveDir, path))), external: true }
  })
}

/**
 * The same code without imports of Node's own modules. To import such a module by name reads everything that it exports:
 * node:http exports a WebSocket, for which Node 24 loads undici, and that took a third of the time of the import.
 */
function withoutFacades(code) {
  const swapped = code.replace(
    /\bimport\s*(?:(\w+)\s*,?)?\s*(?:\{([^}]*)\})?\s*from\s*"(node:\w+)";/g,
    (_, whole, names, from) => {
      const module = `process.getBuiltinModule("${from}")`
      const taken = whole === undefined ? '' : `const ${whole}=${module};`
      return names === undefined ? taken : `${taken}const{${names.replaceAll(/\s+as\s+/g, ':')}}=${module};`
    },
  )
  const [left] = /\bimport\b[^"';]*from\s*"node:.*$/m.exec(swapped) ?? []
  if (left !== undefined) throw new Error(`an import that nobody knows how to write otherwise: ${left}`)
  return swapped
}

/** How a file is imported by another one, both by their paths in the folder. */
function fromTo(path, other) {
  const found = relative(dirname(path), other).split(sep).join('/')
  return found.startsWith('.') ? found : `./${found}`
}

/** A line that exports names of another module by other names. */
function handOn(path, names) {
  return `export { ${names.map(([name, other]) => `${nameOf(name)} as ${nameOf(other)}`).join(', ')} } from '${path}'\n`
}

/** A name as an export has it: one that is no identifier stands in quotes. */
function nameOf(name) {
  return /^\w+$/.test(name) ? name : `'${name}'`
}
