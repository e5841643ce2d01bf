// Tries the newest versions of the packages by hand: npm run ecosystem:latest. Installs them beside the lockfile, which
// stays as it is, and runs the tests of this room on them. Those of `heldBack` in package.json stay on their major version,
// for the reason that stands there. npm run ecosystem:install puts the pinned versions back.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '../..')
const { dependencies, heldBack } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))

const newest = Object.entries(dependencies).map(([name, version]) => {
  if (name in heldBack) return `${name}@^${version}`
  return version.startsWith('npm:') ? `${name}@${version.replace(/@[^@]*$/, '@latest')}` : `${name}@latest`
})
const quiet = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
run('npm', ['install', '--prefix', here, ...quiet, ...newest])
for (const [name, pinned] of Object.entries(dependencies)) {
  const { version } = JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8'))
  if (!pinned.endsWith(version)) console.log(`${name} ${pinned} -> ${version}`)
}
run(process.execPath, [join(root, 'dist/test/suite/run.js'), '--full', 'ecosystem'])

/** Ends this program with the command's exit code if it fails. */
function run(command, parameters) {
  const { status, error } = spawnSync(command, parameters, { cwd: root, stdio: 'inherit' })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
