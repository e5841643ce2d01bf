// Source text cut into tokens, so that a rule about code is not fooled by comments, strings, templates or line breaks.
// It knows just enough of TypeScript: where a literal or a comment begins and ends.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Token {
  readonly kind: 'word' | 'punctuation' | 'string' | 'template' | 'expression' | 'comment'
  /** As it stands in the source; of strings, what is between the quotes. */
  readonly text: string
}

/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_EXPRESSION =
  /^(?:[({[,;=:?!&|+\-*%^~<>]|return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield)$/

const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*|\d[\w.]*/uy
const EXPRESSION = /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y

/** The tokens of a source text, comments included. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  // For each open `${`, how many braces are open inside of it.
  const templates: number[] = []
  let at = 0
  const push = (kind: Token['kind'], text: string, length: number): void => {
    tokens.push({ kind, text })
    at += length
  }
  const template = (start: number): void => {
    let end = start
    while (end < source.length && source[end] !== '`' && !source.startsWith('${', end))
      end += source[end] === '\\' ? 2 : 1
    const closes = source[end] === '`'
    if (!closes) templates.push(0)
    push('template', source.slice(start, end), end + (closes ? 1 : 2) - at)
  }
  while (at < source.length) {
    const character = source[at] ?? ''
    if (/\s/.test(character)) at++
    else if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at)
      const text = source.slice(at, end < 0 ? undefined : end)
      push('comment', text, text.length)
    } else if (source.startsWith('/*', at)) {
      const text = source.slice(at, source.indexOf('*/', at + 2) + 2)
      push('comment', text, text.length)
    } else if (character === "'" || character === '"') {
      let end = at + 1
      while (end < source.length && source[end] !== character) end += source[end] === '\\' ? 2 : 1
      push('string', source.slice(at + 1, end), end + 1 - at)
    } else if (character === '`') template(at + 1)
    else if (character === '}' && templates.at(-1) === 0) {
      templates.pop()
      template(at + 1)
    } else {
      const previous = tokens.findLast(({ kind }) => kind !== 'comment')
      const begins = previous === undefined || (previous.kind !== 'string' && BEFORE_EXPRESSION.test(previous.text))
      EXPRESSION.lastIndex = WORD.lastIndex = at
      const expression = character === '/' && begins ? EXPRESSION.exec(source) : null
      const word = expression === null ? WORD.exec(source) : null
      if (expression !== null) push('expression', expression[0], expression[0].length)
      else if (word !== null) push('word', word[0], word[0].length)
      else {
        const open = templates.length - 1
        if (open >= 0 && character === '{') templates[open] = (templates[open] ?? 0) + 1
        if (open >= 0 && character === '}') templates[open] = (templates[open] ?? 0) - 1
        push('punctuation', character, 1)
      }
    }
  }
  return tokens
}

/** Everything but the comments. */
export function codeOf(source: string): Token[] {
  return tokensOf(source).filter(({ kind }) => kind !== 'comment')
}

/** The files that import what has no fixed name: the application's module for large messages, and optional packages. */
export const LOADERS = ['src/pool/worker.ts', 'src/internals/packages.ts', 'src/load/scriptFile.ts']

/** The modules that a source text imports, in whichever way; `?` for one that is not written as a string. */
export function importsOf(source: string): string[] {
  const code = codeOf(source)
  const found: string[] = []
  const is = (at: number, text: string): boolean => code[at]?.kind !== 'string' && code[at]?.text === text
  const specifier = (at: number): string => {
    const token = code[at]
    return token?.kind === 'string' || (token?.kind === 'template' && is(at + 1, ')')) ? token.text : '?'
  }
  for (const [at, token] of code.entries()) {
    if (token.kind !== 'word' || is(at - 1, '.')) continue
    const called = is(at + 1, '(')
    if (['import', 'require', 'getBuiltinModule', 'createRequire'].includes(token.text) && called) {
      found.push(token.text === 'createRequire' ? '?' : specifier(at + 2))
    } else if (token.text === 'import' && !is(at + 1, '.') && !is(at + 1, ':')) {
      if (code[at + 1]?.kind === 'string') found.push(specifier(at + 1))
      else found.push(specifier(afterFrom(code, at)))
    } else if (token.text === 'export') {
      const names = is(at + 1, 'type') ? at + 2 : at + 1
      if (!is(names, '{') && !is(names, '*')) continue
      const from = is(names, '*') ? afterFrom(code, at) : closing(code, names) + 2
      if (is(from - 1, 'from')) found.push(specifier(from))
    }
  }
  // process.getBuiltinModule is a property.
  for (const [at, token] of code.entries()) {
    if (token.text === 'getBuiltinModule' && is(at - 1, '.')) found.push(specifier(at + 2))
  }
  return found
}

function afterFrom(code: readonly Token[], start: number): number {
  const from = code.findIndex(
    ({ kind, text }, at) => at > start && kind === 'word' && text === 'from' && code[at + 1]?.kind === 'string',
  )
  return from < 0 ? code.length : from + 1
}

function closing(code: readonly Token[], open: number): number {
  const end = code.findIndex(({ kind, text }, at) => at > open && kind === 'punctuation' && text === '}')
  return end < 0 ? code.length : end
}

/** The project's folder: tests run from dist/test/structure. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** A file of this project, by its path from the project's folder. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The TypeScript files below a folder, generated ones excepted, by their paths from the project's folder. */
export function sourcesIn(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return []
  const paths = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  return paths.filter((path) => !/\.generated\.ts$|\.d\.ts$|\/node_modules\//.test(path)).toSorted()
}
