// UTF-8 as the grammar in RFC 3629, section 4, has it: a row for each kind of character, a range for each of its bytes.
// Slow and obvious, written without a look at the codec's automaton.

type Range = readonly [lowest: number, highest: number]

const TAIL: Range = [0x80, 0xbf]
const CHARACTERS: readonly (readonly Range[])[] = [
  [[0x00, 0x7f]],
  [[0xc2, 0xdf], TAIL],
  [[0xe0, 0xe0], [0xa0, 0xbf], TAIL],
  [[0xe1, 0xec], TAIL, TAIL],
  [[0xed, 0xed], [0x80, 0x9f], TAIL],
  [[0xee, 0xef], TAIL, TAIL],
  [[0xf0, 0xf0], [0x90, 0xbf], TAIL, TAIL],
  [[0xf1, 0xf3], TAIL, TAIL, TAIL],
  [[0xf4, 0xf4], [0x80, 0x8f], TAIL, TAIL],
]

export class ReferenceUtf8 {
  /** The bytes of the character under way. */
  #character: number[] = []

  /** Takes one more byte; false if no valid text begins with the bytes taken so far. */
  take(byte: number): boolean {
    this.#character.push(byte)
    const kind = CHARACTERS.find((ranges) => mayBegin(ranges, this.#character))
    if (kind?.length === this.#character.length) this.#character = []
    return kind !== undefined
  }

  /** Whether the text may end here. */
  get complete(): boolean {
    return this.#character.length === 0
  }
}

/** Whether a character of these ranges may begin with these bytes. */
function mayBegin(ranges: readonly Range[], bytes: readonly number[]): boolean {
  return bytes.every((byte, at) => {
    const range = ranges[at]
    return range !== undefined && range[0] <= byte && byte <= range[1]
  })
}

/** How many bytes it takes to see that the text is wrong; Infinity if every one may stand where it does. */
export function firstWrongByte(text: Uint8Array): number {
  const utf8 = new ReferenceUtf8()
  const at = text.findIndex((byte) => !utf8.take(byte))
  return at === -1 ? Infinity : at + 1
}
