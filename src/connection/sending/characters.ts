// Text that comes in parts, cut anywhere: a pair of surrogates that a cut has parted is put together again, so that no
// part loses a character when it is encoded on its own.

export class Characters {
  /** The first half of a pair, from the end of the last part. */
  #half = ''

  /** The part with whole characters only; the half of a pair at its end, unless it is the last part, begins the next. */
  whole(part: string, last: boolean): string {
    const text = this.#half + part
    this.#half = last || !endsInHalf(text) ? '' : text.slice(-1)
    return this.#half === '' ? text : text.slice(0, -1)
  }
}

/** Whether the last unit is a high surrogate. */
function endsInHalf(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800 // NaN of an empty text becomes 0
}
