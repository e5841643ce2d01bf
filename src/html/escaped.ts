// Text within HTML and XML.

/** What XML can't hold at all, not even escaped (XML 1.0, section 2.2). */
const IMPOSSIBLE = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/** What has a name that people read; the others are numbers. */
const NAMED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;' }

/** A text as it may stand in an element or in an attribute. */
export function escaped(text: string): string {
  const whole = text.replace(IMPOSSIBLE, '\u{fffd}')
  return whole.replace(/[&<>"']/g, (character) => NAMED[character] ?? `&#${character.charCodeAt(0)};`)
}
