// Text within HTML and XML.

/** What XML can't hold at all, not even escaped (XML 1.0, section 2.2). */
const IMPOSSIBLE = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escaped(text: string): string {
  return text.replace(IMPOSSIBLE, '\u{fffd}').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
