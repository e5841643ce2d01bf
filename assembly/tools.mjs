// Building, linting and testing need the packages that package.json calls devDependencies, and npm leaves those out of an
// installation for production (--omit=dev, NODE_ENV=production). This program says so, before anything is deleted.
//
// With --prepare it is the script that npm runs after each installation of a clone: with the tools it builds; without
// them, what has been built stays as it is, and if nothing has been built, it fails.
import { execSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const missing = Object.keys(devDependencies).filter((name) => !isInstalled(name, root))
const prepares = process.argv.includes('--prepare')
const isBuilt = existsSync(join(root, 'dist/src/index.js'))

/** Whether a package is there for the programs of a folder: in its node_modules, or in those of a folder around it. */
function isInstalled(name, folder) {
  if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true
  return dirname(folder) !== folder && isInstalled(name, dirname(folder))
}

if (missing.length === 0) {
  if (prepares) build()
} else if (prepares && isBuilt) {
  console.log('millrace: the development tools are not installed, so dist stays as it was built.')
} else {
  const few =
    missing.length > 3 ? `${missing.slice(0, 3).join(', ')} and ${missing.length - 3} more` : missing.join(', ')
  console.error(`millrace: the development tools are not installed here (${few}), and this command needs them.
To install them and build:        npm ci --include=dev
To remove them after the build:   npm prune --omit=dev (what has been built stays)
To install without building:      npm ci --omit=dev --ignore-scripts`)
  process.exitCode = 1
}

function build() {
  try {
    execSync('npm run build', { cwd: root, stdio: 'inherit' })
  } catch {
    // It has said what is wrong.
    process.exitCode = 1
  }
}
