// What ARCHITECTURE.md says, for the tests that hold it and the code together.
import { read } from './source.js'

const PAGE = read('ARCHITECTURE.md')

/** The rooms of src, from the one that knows nobody to the one that knows everybody: the first column of the table. */
export const ROOMS: readonly string[] = roomsOf(PAGE)

export function roomsOf(page: string): string[] {
  const table = page.slice(page.indexOf('\n| room |')).split('\n\n')[0] ?? ''
  return [...table.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, room = '']) => room)
}

/** A name in the text, and the file that is said to have it, if that stands in parentheses behind it. */
export interface Mention {
  readonly name: string
  readonly file: string | undefined
}

/** Every file and every identifier that the text names in `code`. What only looks like one of another kind is left out. */
export function mentionsOf(page: string): { files: string[]; names: Mention[] } {
  const text = page.replace(/^```.*?^```/gms, '').replaceAll(/\s+/g, ' ')
  const isFile = (span: string): boolean => /\/[\w.]+\.(?:ts|mjs|md)$/.test(span)
  const files = [...text.matchAll(/`([^`]+)`/g)].flatMap(([, span = '']) => (isFile(span) ? [span] : []))
  const names = [...text.matchAll(/`([A-Za-z_][\w.#]*)`(?: (?:\(|in )`([^`]+)`)?/g)]
    .map(([, name = '', file]): Mention => ({ name, file: file !== undefined && isFile(file) ? file : undefined }))
    .filter(({ name }) => !ROOMS.includes(name))
  return { files, names }
}

export const MENTIONS = mentionsOf(PAGE)
