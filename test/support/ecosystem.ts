// The packages that speak the API of ws, where they are installed: test/ecosystem has a package.json and a lockfile of its
// own, so that neither a user nor the quick suite ever installs them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from './effort.js'

/** Where the programs and their packages are: in the sources, because the build copies neither. */
export const ecosystem = fileURLToPath(new URL('../../../test/ecosystem', import.meta.url))

/**
 * Why tests with these packages don't run here; false if they do. In CI they always run, and fail without them: a suite
 * that is skipped for months looks green.
 */
export function ecosystemMissing(): string | false {
  if (onlyInFull !== false) return onlyInFull
  if (process.env['CI'] === 'true' || existsSync(join(ecosystem, 'node_modules/socket.io/package.json'))) return false
  return 'the packages of test/ecosystem are not installed: npm run ecosystem:install'
}
