// The cookies of a request (RFC 6265, section 4.2), read leniently, as servers must: what is no pair is passed over.

/**
 * The cookies in a Cookie header by name. Of those with the same name the first counts: browsers send the one with the
 * longest path first. Values are without their quotes, and not decoded. Has no prototype.
 */
export function readCookies(header: string | undefined): Readonly<Record<string, string>> {
  const cookies: Record<string, string> = Object.create(null)
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals < 0) continue
    const name = trimmed(pair.slice(0, equals))
    if (name !== '' && cookies[name] === undefined) cookies[name] = unquoted(trimmed(pair.slice(equals + 1)))
  }
  return Object.freeze(cookies)
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  return text.slice(start, end)
}

function isBlank(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t'
}
