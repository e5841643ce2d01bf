// Which name was meant: the same in another case, with a prefix, or with a letter or two that are wrong.

/** A name without what people write in different ways: case, dashes, underscores. */
export function bare(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

/** Whether two names differ in nothing but case, dashes, and the `on` in front of a handler's name. */
export function sameName(given: string, name: string): boolean {
  return bare(given) === bare(name) || bare(given) === `on${bare(name)}`
}

/** The name that is nearest to what was given, if it is near enough to have been meant. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const same = names.find((name) => sameName(given, name))
  if (same !== undefined) return same
  const [best] = names
    .map((name) => ({ name, apart: distance(bare(given), bare(name)) }))
    .filter(({ name, apart }) => apart <= Math.min(2, Math.floor(Math.min(name.length, given.length) / 3)))
    .toSorted((one, other) => one.apart - other.apart)
  return best?.name
}

/** Names that are longer are nobody's slip of the finger. */
const LONGEST = 40

/** How many letters must be added, left out, changed or swapped with their neighbour to make one word of the other. */
function distance(one: string, other: string): number {
  if (Math.max(one.length, other.length) > LONGEST) return Infinity
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let row = 1; row <= one.length; row++) {
    const next = [row]
    for (let at = 1; at <= other.length; at++) {
      const changed = (last[at - 1] ?? 0) + (one[row - 1] === other[at - 1] ? 0 : 1)
      const least = Math.min((last[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1, changed)
      const swapped = row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1]
      next.push(swapped ? Math.min(least, (before[at - 2] ?? 0) + 1) : least)
    }
    before = last
    last = next
  }
  return last[other.length] ?? 0
}
