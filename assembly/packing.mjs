// What the packed package.json leaves out: the scripts and development tools of a clone, above all `prepare`, which some
// package managers would run on a user's machine. npm runs this before and after it packs: `npm pack`, `npm publish`.
//
// The whole file waits beside it meanwhile, as package.json.whole. If packing was interrupted, that copy is still there,
// and the next run puts it back first.
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const manifest = fileURLToPath(new URL('../package.json', import.meta.url))
const whole = `${manifest}.whole`

if (existsSync(whole)) renameSync(whole, manifest)
if (process.argv[2] === 'before') {
  const { scripts: _, devDependencies: __, ...shipped } = JSON.parse(readFileSync(manifest, 'utf8'))
  copyFileSync(manifest, whole)
  writeFileSync(manifest, `${JSON.stringify(shipped, undefined, 2)}\n`)
}
