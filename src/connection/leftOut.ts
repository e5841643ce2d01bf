// What connections were not sent of the topics that they subscribe to, because their peers did not read what was sent before.
// Few connections ever have such numbers, so none has a place for them.
import type { Counts } from '../metrics/counts.js'

interface LeftOut {
  /** Publications by topic, since the connection has subscribed. */
  readonly total: Map<string, number>
  /** Those of which the application has not been told. */
  readonly untold: Map<string, number>
}

/** By the connections' insides. */
const all = new WeakMap<object, LeftOut>()

/** So many publications on a topic were left out for a connection. */
export function leaveOut(counts: Counts, owner: object, topic: string, publications: number): void {
  counts.add('leftOut', publications)
  const own = all.get(owner) ?? { total: new Map<string, number>(), untold: new Map<string, number>() }
  all.set(owner, own)
  for (const sums of [own.total, own.untold]) sums.set(topic, (sums.get(topic) ?? 0) + publications)
}

/** How many were left out so far. */
export function leftOutOf(owner: object, topic: string): number {
  return all.get(owner)?.total.get(topic) ?? 0
}

/** The subscription is over. */
export function forgetLeftOut(owner: object, topic: string): void {
  const own = all.get(owner)
  own?.total.delete(topic)
  own?.untold.delete(topic)
}

/** What the application is to be told now, by topic. */
export function takeLeftOut(owner: object): readonly (readonly [topic: string, publications: number])[] {
  const untold = all.get(owner)?.untold
  if (untold === undefined || untold.size === 0) return []
  const told = [...untold]
  untold.clear()
  return told
}
