// Which test files a changed file concerns: those whose programs reach it, by imports or by naming it, as a test names
// the program that it starts. The nearest come first, because they say most about the change.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { codeOf } from '../structure/source.js'

/** Paths of files are relative to `root`, with slashes, as `src/index.ts`. */
export class Concerned {
  readonly #root: string
  /** For each file, the files that name it. */
  readonly #namedBy = new Map<string, string[]>()

  /** Reads the TypeScript files of these folders of `root`. */
  constructor(root: string, folders: readonly string[]) {
    this.#root = root
    for (const path of folders.flatMap((folder) => this.#filesIn(folder))) {
      for (const named of this.#namedIn(path)) this.#namedBy.set(named, [...(this.#namedBy.get(named) ?? []), path])
    }
  }

  /** The names of the test files (room/name) that these files concern. */
  by(changed: Iterable<string>): string[] {
    const reached = new Set(changed)
    for (const path of reached) for (const other of this.#namedBy.get(path) ?? []) reached.add(other)
    return [...reached].flatMap((path) => /^test\/(.+)\.test\.ts$/.exec(path)?.[1] ?? [])
  }

  #filesIn(folder: string): string[] {
    const paths = readdirSync(join(this.#root, folder), { recursive: true, encoding: 'utf8' })
    return paths
      .filter((path) => !/(?:^|\/)node_modules\//.test(path))
      .filter((path) => path.endsWith('.ts') && existsSync(join(this.#root, folder, path)))
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
  }

  #namedIn(path: string): string[] {
    const strings = codeOf(readFileSync(join(this.#root, path), 'utf8')).filter(({ kind }) => kind === 'string')
    return strings
      .filter(({ text }) => /^\.[\w./-]*\.(?:js|mjs)$/.test(text))
      .map(({ text }) => relative(this.#root, resolve(this.#root, dirname(path), text)).replaceAll('\\', '/'))
      .map((named) => named.replace(/\.js$/, '.ts'))
  }
}
