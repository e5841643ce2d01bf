// Values of header fields: blanks around them, and the lists that some of them are (RFC 9110, section 5.6).

const BLANK = 32
const TAB = 9

/** A value without the blanks and tabs around it. */
export function trimmed(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start++
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

/** The elements of a comma-separated list. Empty ones count for nothing (RFC 9110, section 5.6.1.2). */
export function elementsOf(list: string): readonly string[] {
  return list.split(',').flatMap((element) => trimmed(element) || [])
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB
}
