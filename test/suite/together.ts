// Runs test files in this process, one after the other: their paths are its arguments. A test before each tells the
// reporter where it begins, because a test can not say in which file it stands.
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { BEGINS } from './verdict.js'

for (const path of process.argv.slice(2)) {
  test(BEGINS, () => undefined)
  await import(pathToFileURL(path).href)
}
