// Who listens to topics in this process itself. A listener hears a publication before `publish` returns: what it knows then
// is what the connections that subscribe now will not be sent.
import { Buffer } from 'node:buffer'
import { callerError } from '../checks/errors.js'
import type { Sendable } from '../connection/connection.js'
import { isText, payloadOf } from '../connection/sending/sendable.js'
import { tell } from '../internals/report.js'

/** A publication, as a listener of `server.subscribe` gets it. */
export interface TopicMessage {
  /** The topic that it was published on. */
  readonly topic: string
  /** What was published: text as a string, anything else as bytes, which are the listener's own. */
  readonly data: string | Uint8Array
  /** Whether it was published by this process, or came from another process or machine. */
  readonly origin: 'local' | 'broker'
  /** How many publications on the topic are known to be missing before this one. */
  readonly missed: number
}

/** Takes publications on a topic. What it throws, or rejects with, is printed on standard error. */
export type TopicListener = (message: TopicMessage) => unknown

interface Listening {
  readonly listener: TopicListener
}

export class Listeners {
  readonly #topics = new Map<string, Set<Listening>>()
  /** What was published while listeners heard something else: they hear it afterwards, so that all hear the same order. */
  readonly #waiting: { readonly message: TopicMessage; readonly listening: readonly Listening[] }[] = []
  #isTelling = false

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** Returns what ends it, and whether somebody was the last one on the topic when it did. */
  add(topic: string, listener: TopicListener): () => boolean {
    const listening = { listener }
    const all = this.#topics.get(topic) ?? new Set()
    this.#topics.set(topic, all.add(listening))
    return () => {
      if (!all.delete(listening) || all.size > 0) return false
      return this.#topics.delete(topic)
    }
  }

  /** Tells all that listen to the topic now. */
  hear(topic: string, data: Sendable, origin: TopicMessage['origin'], missed: number): void {
    const all = this.#topics.get(topic)
    if (all === undefined) return
    this.#waiting.push({ message: { topic, data: ownData(data), origin, missed }, listening: [...all] })
    if (this.#isTelling) return
    this.#isTelling = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { message, listening } = next
      for (const [at, one] of listening.entries()) {
        if (this.#topics.get(message.topic)?.has(one) !== true) continue
        const own = at === listening.length - 1 ? message : { ...message, data: ownData(message.data) }
        tell(() => one.listener(own))
      }
    }
    this.#isTelling = false
  }
}

/** Throws a TypeError for what is no function. */
export function checkListener(listener: unknown): void {
  if (typeof listener !== 'function')
    throw callerError('ERR_ARGUMENT_KIND', 'the second argument of subscribe must be a function: (message) => ...')
}

function ownData(data: Sendable): string | Uint8Array {
  if (typeof data === 'string') return data
  const payload = payloadOf(data)
  return isText(data) ? Buffer.from(payload).toString() : Uint8Array.from(payload)
}
