// Packages and files that only some servers need. They are looked for when they are needed: a server that does without
// them starts without them, and where one is missing, the error says what to do.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { callerError } from '../checks/errors.js'

/** A module that was bundled as CommonJS has no URL of its own: it looks beside the program that was started. */
const base = (url: string | undefined): string => url ?? pathToFileURL(process.argv[1] ?? join(process.cwd(), '_')).href

/** Loads the package `name`, which `user` needs. Throws an Error with the code ERR_PACKAGE_MISSING where it is not installed. */
export function packageFor<Module>(user: string, name: string): Module {
  const require = createRequire(base(import.meta.url))
  try {
    require.resolve(name)
  } catch {
    const words = `${user} needs the package ${name}, which is not installed here: npm install ${name}`
    throw callerError('ERR_PACKAGE_MISSING', words)
  }
  return require(name)
}

/**
 * The URL of a file of millrace's own that `user` starts as a program: `./worker.js`, as seen from the module `url`. Throws
 * an Error with the code ERR_FILE_BUNDLED where a bundler has taken the module and left the file.
 */
export function ownFile(user: string, path: string, url: string | undefined): string {
  const file = new URL(path, base(url))
  if (existsSync(file)) return file.href
  const words = `${user} starts a file of millrace's own, which a bundle does not contain: tell the bundler to leave millrace external`
  throw callerError('ERR_FILE_BUNDLED', words)
}
