// The documents, and the programs in them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './program.js'

export const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .toSorted(),
]

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** The JavaScript in a document, with the line it begins at. */
export function programsIn(path: string): { line: number; code: string }[] {
  const text = read(path)
  // One in a list is indented.
  return [...text.matchAll(/^( *)```js\n(.*?)^\1```$/gms)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length,
    code: (match[2] ?? '').replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''),
  }))
}

/** A whole program listens; what it listens on becomes a free port of the loopback. */
export const LISTENS = /\b(?:listen\(\{|WebSocketServer\(\{) port: \d+/
/**
 * Packages that are not installed for every test: such programs are only read here. Those with packages of test/ecosystem run in
 * guides.test.ts.
 */
export const FOREIGN = /from '(?:uWebSockets\.js|fastify|socket\.io|hono|crossws)/
