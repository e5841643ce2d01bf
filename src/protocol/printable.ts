// What a peer wrote, as a terminal or an error may show it: a server that is dialled must not write freely on the user's
// screen, move the cursor there, or fill it.

/** Controls, what changes the direction of text or can't be seen, halves of characters, and ends of lines. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const LONGEST = 300

/** Escapes what is not printable as `\u{1b}`, and cuts what is longer than `longest` characters before that. */
export function printable(text: string, longest = LONGEST): string {
  const cut = text.length > longest
  const shown = (cut ? text.slice(0, longest) : text).replace(UNPRINTABLE, escaped)
  return cut ? `${shown}…` : shown
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`
}
