// How much of src the tests run: what V8 reports of each process that a test file starts, put together. Code counts by
// its characters, without blanks, so half a line that never runs counts as half a line.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A block of code, and how often it ran; blocks within it are reported behind it. */
interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}
interface Report {
  readonly result: readonly { readonly url: string; readonly functions: readonly { readonly ranges: Range[] }[] }[]
}

/** How many percent of src all tests must run: two less than the quick suite did when this was written. */
export const LEAST_COVERAGE = 95.5

interface Script {
  /** As `connection/peer.js`. */
  readonly path: string
  readonly code: string
  /** For each character, whether it ran in any process. */
  readonly ran: Uint8Array
}

export interface Measured {
  /** As `connection/peer.ts`. */
  readonly path: string
  readonly characters: number
  readonly ran: number
  /** Lines of TypeScript of which a part never ran. */
  readonly lines: readonly number[]
}

export class Coverage {
  readonly #folder: string
  readonly #scripts = new Map<string, Script>()

  /**
   * Measures the programs of a folder, which are compiled from TypeScript; generated ones do not count, nor does what an
   * earlier build left behind, which has no source map.
   */
  constructor(folder: string) {
    this.#folder = folder
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    const isCompiled = (name: string): boolean => name.endsWith('.js') && paths.includes(`${name}.map`)
    for (const path of paths.filter((name) => isCompiled(name) && !name.includes('.generated.'))) {
      const code = readFileSync(join(folder, path), 'utf8')
      const url = pathToFileURL(join(folder, path)).href
      this.#scripts.set(url, { path: path.replaceAll('\\', '/'), code, ran: new Uint8Array(code.length) })
    }
  }

  /** Adds what processes have left in a folder that NODE_V8_COVERAGE named. One that was killed has left nothing whole. */
  add(reports: string): void {
    if (!existsSync(reports)) return
    for (const name of readdirSync(reports)) {
      for (const { url, functions } of resultOf(join(reports, name))) {
        const script = this.#scripts.get(url)
        if (script !== undefined)
          addRanges(
            script.ran,
            functions.flatMap(({ ranges }) => ranges),
          )
      }
    }
  }

  /** What was measured, of every file, in the order of their names. */
  get files(): Measured[] {
    return [...this.#scripts.values()].map((script) => this.#measure(script)).toSorted(byPath)
  }

  #measure({ path, code, ran }: Script): Measured {
    const lines = new Set<number>()
    const map = new SourceMap(JSON.parse(readFileSync(join(this.#folder, `${path}.map`), 'utf8')))
    let characters = 0
    let done = 0
    let [line, column] = [0, 0]
    for (let at = 0; at < code.length; at++, column++) {
      if (code.startsWith('//# sourceMappingURL', at)) break
      if (code[at] === '\n') [line, column] = [line + 1, -1]
      else if (code[at] !== ' ') {
        characters++
        if (ran[at] === 1) done++
        else {
          const entry = map.findEntry(line, column)
          if ('originalLine' in entry) lines.add(entry.originalLine + 1)
        }
      }
    }
    return { path: path.replace(/\.js$/, '.ts'), characters, ran: done, lines: [...lines].toSorted((a, b) => a - b) }
  }
}

/** What a process has reported; nothing if it was killed while it wrote that. */
function resultOf(path: string): Report['result'] {
  try {
    const { result }: Report = JSON.parse(readFileSync(path, 'utf8'))
    return result
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

/** The percentage of the characters of these files that ran. */
export function percentOf(files: readonly Measured[]): number {
  const characters = files.reduce((sum, file) => sum + file.characters, 0)
  return characters === 0 ? 0 : (100 * files.reduce((sum, file) => sum + file.ran, 0)) / characters
}

/** Whether so many percent are enough, and the line that tells; a run of a part of the tests has no floor. */
export function judge(percent: number, isWhole: boolean): { readonly text: string; readonly enough: boolean } {
  const enough = !isWhole || percent >= LEAST_COVERAGE
  const text = `coverage: ${percent.toFixed(2)} % of src, at least ${LEAST_COVERAGE} % by all tests`
  return { text: enough ? text : `${text}: TOO LITTLE`, enough }
}

/** One line for a room, and below it one for each of its files of which a part never ran. */
export function linesOf(files: readonly Measured[]): string[] {
  const roomOf = ({ path }: Measured): string => path.split('/')[0] ?? ''
  return [...new Set(files.map(roomOf))].flatMap((room) => {
    const ofRoom = files.filter((file) => roomOf(file) === room)
    const inParts = ofRoom.filter(({ lines }) => lines.length > 0)
    return [lineOf(room, ofRoom), ...inParts.map((file) => `${lineOf(`  ${file.path}`, [file])}  ${spans(file.lines)}`)]
  })
}

function lineOf(name: string, files: readonly Measured[]): string {
  return `${name.padEnd(44)} ${percentOf(files).toFixed(1).padStart(5)} %`
}

/** Numbers in a row as one span: `3-5, 9`. */
function spans(lines: readonly number[]): string {
  const parts: string[] = []
  for (let at = 0; at < lines.length; at++) {
    const first = lines[at]
    while (lines[at + 1] === (lines[at] ?? 0) + 1) at++
    parts.push(first === lines[at] ? `${first}` : `${first}-${lines[at]}`)
  }
  return parts.join(', ')
}

function addRanges(ran: Uint8Array, ranges: readonly Range[]): void {
  const here = new Uint8Array(ran.length)
  // The inner block has the last word.
  const outerFirst = ranges.toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  for (const { startOffset, endOffset, count } of outerFirst) here.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  for (const [at, did] of here.entries()) if (did === 1) ran[at] = 1
}

function byPath(a: Measured, b: Measured): number {
  return a.path < b.path ? -1 : 1
}
