// Puts figures into a page of the documentation, between two marks.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const END = '<!-- end of figures -->'

export const root: string = fileURLToPath(new URL('../../../', import.meta.url))

/** The page, from the project's folder, and the command that finds its figures. */
export interface FiguresPage {
  readonly file: string
  readonly command: string
}

/** `text` with `section` between the marks. Throws an Error where they are missing. */
export function withSection(text: string, section: string, { file, command }: FiguresPage): string {
  const mark = `<!-- figures: ${command} -->\n`
  const begin = text.indexOf(mark)
  const end = text.indexOf(END, begin)
  if (begin < 0 || end < begin) throw new Error(`${file} lacks its marks: ${mark.trim()} and ${END}`)
  return `${text.slice(0, begin + mark.length)}\n${section}\n${text.slice(end)}`
}

export function publish(section: string, place: FiguresPage): void {
  const path = root + place.file
  writeFileSync(path, withSection(readFileSync(path, 'utf8'), section, place))
}
