// All cases, in the order of their sections, each with its number.
import type { Case, Draft, Side } from './case.js'
import { answers } from './cases/answers.js'
import { closings } from './cases/closing.js'
import { compression } from './cases/compression.js'
import { deflateOffers } from './cases/deflateOffers.js'
import { fragmented } from './cases/fragments.js'
import { framing } from './cases/framing.js'
import { requests } from './cases/requests.js'
import { texts } from './cases/texts.js'

function numbered(drafts: readonly Draft[]): readonly Case[] {
  const counts = new Map<string, number>()
  const all = drafts.map((draft): Case => {
    const number = (counts.get(draft.section) ?? 0) + 1
    counts.set(draft.section, number)
    return { ...draft, id: `${draft.section}/${number}` }
  })
  return all.toSorted((one, other) => inOrder(one.section, other.section))
}

/** `5.2` before `5.10`, and RFC 6455 before RFC 7692. */
function inOrder(one: string, other: string): number {
  const [first, second] = [partsOf(one), partsOf(other)]
  for (let at = 0; at < Math.max(first.length, second.length); at++) {
    const difference = (first[at] ?? -1) - (second[at] ?? -1)
    if (difference !== 0) return difference
  }
  return 0
}

function partsOf(section: string): readonly number[] {
  return section.replace('-', '.').split('.').map(Number)
}

export const cases: readonly Case[] = numbered([
  ...requests,
  ...answers,
  ...framing,
  ...fragmented,
  ...texts,
  ...closings,
  ...compression,
  ...deflateOffers,
])

/** Which cases are run. */
export interface Selection {
  /** The side that is tested. */
  readonly side: Side
  /** Sections or numbers: `5.5` is all of 5.5, 5.5.1 and so on. Default: all. */
  readonly only?: readonly string[]
  /** Whether those that cost the peer much memory are run, too. Default: false. */
  readonly heavy?: boolean
}

export function selectCases({ side, only = [], heavy = false }: Selection): readonly Case[] {
  return cases.filter(
    (one) =>
      (one.side === 'both' || one.side === side) &&
      (heavy || one.heavy !== true) &&
      (only.length === 0 || only.some((part) => isIn(one, part))),
  )
}

function isIn({ id, section }: Case, part: string): boolean {
  return id === part || section === part || section.startsWith(`${part}.`) || section.startsWith(`${part}-`)
}

/** The section as a person says it. */
export function shownSection(section: string): string {
  const [first = '', second] = section.split('-')
  return second === undefined ? `RFC 6455, section ${first}` : `RFC ${first}, section ${second}`
}
