// The package as its users get it: packed by npm, and installed from the tarball into a project of its own. Nothing is
// built and nothing is fetched: what it depends on comes from this repository's node_modules.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The parts of package.json that tests look at. */
export interface Manifest {
  readonly version: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Installed {
  readonly tarball: string
  /** The project that depends on it; programs are written there. */
  readonly project: string
  /** The package inside the project. */
  readonly directory: string
  readonly manifest: Manifest
  remove(): void
}

/**
 * Why what needs another program can't run here; false if it can. In CI it always runs, and fails without the program:
 * a suite that is skipped for months looks green.
 */
export function missing(program: string): string | false {
  if (process.env['CI'] === 'true' || process.platform === 'win32') return false
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, program))) ? false : `there is no ${program} here`
}

export function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

/** A folder of its own, outside of the repository, so that nothing is found by accident. */
export function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-shipping-'))
}

/** Packs what is built, and installs the tarball with npm. */
export async function install(): Promise<Installed> {
  const base = temporary()
  const remove = (): void => rmSync(base, { recursive: true })
  try {
    return { ...(await installIn(base)), remove }
  } catch (error) {
    remove()
    throw error
  }
}

async function installIn(base: string): Promise<Omit<Installed, 'remove'>> {
  const project = join(base, 'project')
  mkdirSync(project)
  await npm(base, ['pack', '--pack-destination', base, await copyOfBuild(base)])
  const [name = '', ...others] = readdirSync(base).filter((file) => file.endsWith('.tgz'))
  assert.deepEqual(others, [])
  const tarball = join(base, name)
  // npm leaves alone what is there, wanted, and linked from .bin; so it needs no network.
  const dependencies = copyDependencies(manifestIn(root), project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'a-user', private: true, dependencies }))
  await npm(base, ['rebuild', '--prefix', project, '--ignore-scripts'])
  await npm(base, ['install', '--prefix', project, '--offline', '--ignore-scripts', '--no-package-lock', tarball])
  const directory = join(project, 'node_modules', 'millrace')
  return { tarball, project, directory, manifest: manifestIn(directory) }
}

/**
 * What is packed after `npm run build`, without the source maps that tests run with, in a folder of its own: the scripts
 * around packing change package.json for a moment.
 */
export async function copyOfBuild(base: string): Promise<string> {
  const clone = join(base, 'clone')
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'assembly', 'dist/src']) {
    cpSync(join(root, name), join(clone, name), { recursive: true })
  }
  await run(process.execPath, [join(root, 'assembly/shipped.mjs'), clone])
  return clone
}

/** Copies what a package needs when it runs, and what that needs; tells the versions. */
export function copyDependencies(manifest: Manifest, project: string): Record<string, string> {
  const copied: Record<string, string> = {}
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const from = join(root, 'node_modules', name)
    const to = join(project, 'node_modules', name)
    if (existsSync(to) || !existsSync(from)) continue // what is optional may be for another system
    cpSync(from, to, { recursive: true })
    const dependency = manifestIn(from)
    Object.assign(copied, { [name]: dependency.version }, copyDependencies(dependency, project))
  }
  return copied
}

export async function npm(base: string, args: readonly string[]): Promise<void> {
  const options = ['--cache', join(base, 'cache'), '--no-audit', '--no-fund', '--no-update-notifier']
  // What npm tells the scripts it runs, it would take as its own options.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))
  await run('npm', [...args, ...options], { cwd: base, env, shell: process.platform === 'win32' })
}
