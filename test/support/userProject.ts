// A project of a user's, with millrace and the packages of test/ecosystem in its node_modules: what examples with packages of their
// own need to be compiled and to run.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from '../examples/program.js'
import { ecosystem } from './ecosystem.js'

const compilerOptions = {
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable'],
  module: 'nodenext',
  types: ['node'],
  rootDir: '.',
  outDir: 'compiled',
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  noUnusedLocals: true,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  experimentalDecorators: true,
  skipLibCheck: true,
}

export class UserProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-user-'))

  /** Compiles the example in this folder of `examples`, if one is named. Throws what the compiler says against it. */
  constructor(example?: string) {
    this.#install()
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module", "private": true }')
    writeFileSync(join(this.folder, 'main.mjs'), 'export const load = (specifier) => import(specifier)')
    if (example !== undefined) this.#compile(example)
  }

  #compile(example: string): void {
    cpSync(join(ROOT, 'examples', example), join(this.folder, example), { recursive: true })
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: [example] }))
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [compiler], { cwd: this.folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(stdout)
  }

  /** A compiled file: its path, to run it. */
  path(file: string): string {
    return join(this.folder, 'compiled', file)
  }

  /** A package, or a file of the project (`./compiled/...`), as a program of the project imports it. */
  async import(specifier: string): Promise<unknown> {
    const main = pathToFileURL(join(this.folder, 'main.mjs')).href
    const { load }: { load(specifier: string): Promise<unknown> } = await import(main)
    return await load(specifier)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }

  #install(): void {
    const modules = join(this.folder, 'node_modules')
    mkdirSync(join(modules, '@types'), { recursive: true })
    const packages = join(ecosystem, 'node_modules')
    for (const name of readdirSync(packages)) {
      if (!name.startsWith('.') && name !== '@types') symlinkSync(join(packages, name), join(modules, name), 'junction')
    }
    symlinkSync(ROOT, join(modules, 'millrace'), 'junction')
    symlinkSync(join(ROOT, 'node_modules/@types/node'), join(modules, '@types/node'), 'junction')
  }
}
