// Takes the source maps and the indentation out of what is shipped: the maps are for whoever works on millrace, and nearly
// as long as all the code. And joins the modules. Run by `npm run build`, which makes what npm packs; `npm run build:server`
// leaves the maps in, and the modules apart.
//
//   node assembly/shipped.mjs [FOLDER]     the folder that dist lies in; this project's by default
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { AS_SHIPPED, joinModules } from './joined.mjs'

const root = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))
const shipped = join(root, 'dist/src')

for (const name of readdirSync(shipped, { recursive: true })) {
  const path = join(shipped, name)
  if (path.endsWith('.map')) rmSync(path)
  else if (path.endsWith('.js')) writeFileSync(path, await shortened(readFileSync(path, 'utf8')))
}
await joinModules(shipped)
// The compiler would otherwise leave what has not changed as it is now, without maps.
rmSync(join(root, 'dist/tsconfig.tsbuildinfo'), { force: true })

async function shortened(source) {
  const { code } = await transform(source.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'), AS_SHIPPED)
  return code
}
