// Who is in which topics of one process: all by name, or only how many, where they are many.
import type { Member, TopicChange } from './presenceRecords.js'

/** The members of a topic, or their count. */
export type Presences = Map<string, Member> | number

/** What somebody who watches a topic is told. */
export interface PresenceChange {
  /** The topic in which it has changed. */
  readonly topic: string
  /** Who has come; nobody where a process tells only how many it has. */
  readonly joined: readonly Member[]
  /** Who has gone; nobody where a process tells only how many it has. */
  readonly left: readonly Member[]
}

export class PresenceTable {
  readonly #topics = new Map<string, Presences>()

  get topics(): IterableIterator<string> {
    return this.#topics.keys()
  }

  of(topic: string): Presences | undefined {
    return this.#topics.get(topic)
  }

  count(topic: string): number {
    const presences = this.#topics.get(topic) ?? 0
    return typeof presences === 'number' ? presences : presences.size
  }

  /** Makes a change; returns what it has changed, or undefined if that is nothing. */
  apply({ topic, joined = [], left = [], count }: TopicChange): PresenceChange | undefined {
    if (count !== undefined) return this.#setCount(topic, count)
    const members = this.#topics.get(topic) ?? new Map<string, Member>()
    if (typeof members === 'number') return undefined
    const gone = left.flatMap((id) => members.get(id) ?? [])
    for (const { id } of gone) members.delete(id)
    const come = joined.filter((member) => !members.has(member.id))
    for (const member of joined) members.set(member.id, member)
    if (members.size === 0) this.#topics.delete(topic)
    else this.#topics.set(topic, members)
    return come.length + gone.length === 0 ? undefined : { topic, joined: come, left: gone }
  }

  /** Everybody has left; returns what that has changed. */
  clear(): PresenceChange[] {
    const changes = [...this.#topics].map(([topic, presences]) => ({
      topic,
      joined: [],
      left: typeof presences === 'number' ? [] : [...presences.values()],
    }))
    this.#topics.clear()
    return changes
  }

  #setCount(topic: string, count: number): PresenceChange {
    if (count < 0) this.#topics.set(topic, new Map())
    else if (count === 0) this.#topics.delete(topic)
    else this.#topics.set(topic, count)
    return { topic, joined: [], left: [] }
  }
}

/** What leads from one table to another that takes its place. */
export function difference(before: PresenceTable, after: PresenceTable): PresenceChange[] {
  const topics = new Set([...before.topics, ...after.topics])
  return [...topics].flatMap((topic) => {
    const [old, now] = [before.of(topic) ?? new Map(), after.of(topic) ?? new Map()]
    const [olds, nows] = [old, now].map((all) => (typeof all === 'number' ? new Map<string, Member>() : all))
    const joined = [...(nows?.values() ?? [])].filter(({ id }) => olds?.has(id) !== true)
    const left = [...(olds?.values() ?? [])].filter(({ id }) => nows?.has(id) !== true)
    const isOther = before.count(topic) !== after.count(topic)
    return joined.length + left.length > 0 || isOther ? [{ topic, joined, left }] : []
  })
}
