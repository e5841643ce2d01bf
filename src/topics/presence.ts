// Who is in a topic, over all processes that share the topics of a server. Each process tells the others who comes and goes,
// on a topic of their own, and says every now and then that it lives.
import { randomUUID } from 'node:crypto'
import { checkOptions } from '../checks/check.js'
import { presenceQuantities } from '../checks/quantities.js'
import { everywhere, presenceOptions } from '../checks/tables.js'
import { tell } from '../internals/report.js'
import type { TopicListener } from './listeners.js'
import { PresenceOthers } from './presenceOthers.js'
import {
  type Member,
  type PresenceKind,
  type PresenceRecord,
  readPresence,
  snapshotOf,
  type TopicChange,
} from './presenceRecords.js'
import { type PresenceChange, PresenceTable } from './presenceTable.js'
import { checkName } from './topicName.js'

/** Options of `createPresence`. */
export interface PresenceOptions {
  /**
   * After how long a process that says nothing counts as dead, in milliseconds, and everybody in it as gone. Each process
   * says that it lives three times in that time. At least 30. Default: 10,000.
   */
  readonly lease?: number
  /**
   * How many members of a topic one process names to the others. Where it has more, it tells only how many, until they are
   * fewer than half as many. At least 0. Default: 100.
   */
  readonly named?: number
  /** The topic on which processes tell each other. Clients must not reach it. Default: `'millrace.presence'`. */
  readonly topic?: string
}

/** What has changed in a topic, for whoever watches it. */
export interface PresenceEvent extends PresenceChange {
  /** How many are in the topic now, in all processes. */
  readonly count: number
}

/** What presence needs of a server. */
export interface PresenceServer {
  /** Publishes to all processes. */
  publish(topic: string, data: string): number
  /** Tells a function what is published. */
  subscribe(topic: string, listener: TopicListener): () => void
}

/** What presence needs of a connection. */
export interface PresentConnection {
  /** A name that no other connection has. */
  readonly id: string
  /** Whether it has not ended. */
  readonly isOpen: boolean
}

const { lease: LEASE, named: NAMED } = presenceQuantities
/** Who comes and goes within so many milliseconds is told at once. */
const GATHER = 20
/** Members in one record. */
const MOST = 200

/** Who is in the topics of a server. `createPresence` makes it. */
export class Presence {
  readonly #server: PresenceServer
  readonly #topic: string
  readonly #lease: number
  readonly #named: number
  readonly #own = new PresenceTable()
  readonly #connections = new Map<string, { readonly connection: PresentConnection; readonly topics: Set<string> }>()
  readonly #others = new PresenceOthers(
    () => performance.now(),
    (name) => this.#say('ask', { of: name }),
  )
  readonly #name = randomUUID()
  #number = 0
  /** Who has come and gone since the others were told, by topic. */
  readonly #changed = new Map<string, Map<string, Member | undefined>>()
  /** Topics of which the others were told only how many. */
  readonly #counted = new Set<string>()
  readonly #watchers = new Map<string, Set<{ readonly listener: (event: PresenceEvent) => unknown }>>()
  #gathering: NodeJS.Timeout | undefined
  #answering: NodeJS.Timeout | undefined
  readonly #beat: NodeJS.Timeout
  readonly #unsubscribe: () => void
  #isClosed = false

  /** Made by `createPresence`. @internal */
  constructor(server: PresenceServer, options: PresenceOptions) {
    const { lease = LEASE.byDefault, named = NAMED.byDefault, topic = 'millrace.presence' } = options
    this.#server = server
    this.#topic = topic
    this.#lease = lease
    this.#named = named
    this.#unsubscribe = server.subscribe(topic, ({ data, origin }) => {
      if (origin === 'broker') this.#take(readPresence(data))
    })
    const every = lease / 3
    this.#beat = setInterval(() => this.#check(every), every).unref()
    this.#say('ask')
    this.#sayAll()
  }

  /**
   * A connection is in a topic from now on, until it leaves or ends. `info` is what all are told of it: anything that JSON
   * can hold, as it is now. A second call for the same topic changes the info. Throws a TypeError for what can be no topic,
   * and for an info that JSON can't hold.
   */
  join(connection: PresentConnection, topic: string, info?: unknown): void {
    checkName(topic)
    const told = snapshotOf(info)
    if (!connection.isOpen || this.#isClosed) return
    const entry = this.#connections.get(connection.id) ?? { connection, topics: new Set() }
    this.#connections.set(connection.id, entry)
    entry.topics.add(topic)
    this.#change(topic, connection.id, { id: connection.id, info: told })
  }

  /** A connection is in a topic no more, or in none, where no topic is given. Call it in the `close` handler. */
  leave(connection: PresentConnection, topic?: string): void {
    const entry = this.#connections.get(connection.id)
    if (entry === undefined) return
    for (const name of topic === undefined ? [...entry.topics] : [topic]) {
      if (entry.topics.delete(name)) this.#change(name, connection.id, undefined)
    }
    if (entry.topics.size === 0) this.#connections.delete(connection.id)
  }

  /** How many are in a topic, in all processes. */
  count(topic: string): number {
    return this.#tables.reduce((sum, table) => sum + table.count(topic), 0)
  }

  /** Who is in a topic, in all processes; undefined where a process tells only how many it has. */
  members(topic: string): Member[] | undefined {
    const all = this.#tables.map((table) => table.of(topic) ?? new Map<string, Member>())
    return all.some((one) => typeof one === 'number')
      ? undefined
      : all.flatMap((one) => (typeof one === 'number' ? [] : [...one.values()]))
  }

  /** Tells `listener` who comes and goes in a topic, until the function that it returns is called. */
  watch(topic: string, listener: (event: PresenceEvent) => unknown): () => void {
    const all = this.#watchers.get(topic) ?? new Set()
    const watcher = { listener }
    this.#watchers.set(topic, all.add(watcher))
    return () => {
      if (all.delete(watcher) && all.size === 0) this.#watchers.delete(topic)
    }
  }

  /** Tells the others that everybody here has left, and hears nothing more. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#beat)
    clearTimeout(this.#gathering)
    clearTimeout(this.#answering)
    this.#say('bye')
    this.#unsubscribe()
    this.#connections.clear()
    this.#own.clear()
  }

  get #tables(): PresenceTable[] {
    return [this.#own, ...this.#others.tables]
  }

  #change(topic: string, id: string, member: Member | undefined): void {
    const change = this.#own.apply(member === undefined ? { topic, left: [id] } : { topic, joined: [member] })
    const changed = this.#changed.get(topic) ?? new Map<string, Member | undefined>()
    this.#changed.set(topic, changed.set(id, member))
    this.#gathering ??= setTimeout(() => this.#tellChanges(), GATHER).unref()
    if (change !== undefined) this.#notify([change])
  }

  #tellChanges(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    const changes: TopicChange[] = []
    for (const [topic, changed] of this.#changed) changes.push(...this.#changesOf(topic, changed))
    this.#changed.clear()
    this.#sayChanges(changes)
  }

  /** By name, or by count; where that has changed, all are told again. */
  #changesOf(topic: string, changed: ReadonlyMap<string, Member | undefined>): TopicChange[] {
    const count = this.#own.count(topic)
    const wasCounted = this.#counted.has(topic)
    const isCounted = count > (wasCounted ? this.#named / 2 : this.#named)
    if (isCounted) {
      this.#counted.add(topic)
      return [{ topic, count }]
    }
    this.#counted.delete(topic)
    if (wasCounted)
      return [
        { topic, count: -1 },
        { topic, joined: this.#membersHere(topic) },
      ]
    const joined = [...changed.values()].filter((member) => member !== undefined)
    const left = [...changed].flatMap(([id, member]) => (member === undefined ? [id] : []))
    return [{ topic, joined, left }]
  }

  #membersHere(topic: string): Member[] {
    const members = this.#own.of(topic)
    return members instanceof Map ? [...members.values()] : []
  }

  /** Everything, for whoever knows nothing. */
  #sayAll(): void {
    this.#say('begin')
    const all = [...this.#own.topics].map((topic) =>
      this.#counted.has(topic) ? { topic, count: this.#own.count(topic) } : { topic, joined: this.#membersHere(topic) },
    )
    this.#sayChanges(all)
    this.#say('end')
  }

  #sayChanges(changes: readonly TopicChange[]): void {
    let part: TopicChange[] = []
    let size = 0
    for (const change of changes) {
      part.push(change)
      size += 1 + (change.joined?.length ?? 0) + (change.left?.length ?? 0)
      if (size < MOST) continue
      this.#say('change', { changes: part })
      part = []
      size = 0
    }
    if (part.length > 0) this.#say('change', { changes: part })
  }

  /** What the application's functions throw of the topic is printed: mostly a timer says it, and the next word may be said. */
  #say(kind: PresenceKind, more: Partial<PresenceRecord> = {}): void {
    const record: PresenceRecord = { from: this.#name, number: ++this.#number, kind, lease: this.#lease, ...more }
    tell(() => this.#server.publish(this.#topic, JSON.stringify(record)))
  }

  #take(record: PresenceRecord | undefined): void {
    if (record === undefined || record.from === this.#name) return
    this.#notify(this.#others.take(record))
    if (record.kind === 'ask' && (record.of === undefined || record.of === this.#name)) {
      // Many may ask at once: one answer is for all of them.
      this.#answering ??= setTimeout(() => this.#answer(), GATHER).unref()
    }
  }

  #answer(): void {
    this.#answering = undefined
    this.#tellChanges()
    this.#sayAll()
  }

  #check(every: number): void {
    for (const { connection } of this.#connections.values()) if (!connection.isOpen) this.leave(connection)
    this.#notify(this.#others.check(every))
    this.#say('alive')
  }

  #notify(changes: readonly PresenceChange[]): void {
    for (const change of changes) {
      const count = this.count(change.topic)
      for (const { listener } of this.#watchers.get(change.topic) ?? []) tell(() => listener({ ...change, count }))
    }
  }
}

/**
 * Makes the presence of a server: who is in its topics, over all acceptors and machines that share them. Every process
 * makes its own, with the same options. Throws a TypeError for values of the wrong kind, and a RangeError for numbers that
 * are out of bounds.
 * @example
 * ```js
 * import { createPresence, createServer } from 'millrace'
 *
 * const server = createServer({
 *   open(connection) {
 *     connection.subscribe('room')
 *     presence.join(connection, 'room', { name: connection.request.query.get('name') })
 *     connection.send(JSON.stringify(presence.members('room') ?? presence.count('room')))
 *   },
 *   close(connection) {
 *     presence.leave(connection)
 *   },
 * })
 * const presence = createPresence(server, { lease: 5000 })
 * presence.watch('room', ({ joined, left, count }) => console.log(joined, left, count))
 * ```
 */
export function createPresence(server: PresenceServer, options: PresenceOptions = {}): Presence {
  checkOptions(options, presenceOptions, everywhere)
  return new Presence(server, options)
}
