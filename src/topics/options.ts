// What a server can be told about its topics.
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { historyQuantities, topicQuantities } from '../checks/quantities.js'
import { everywhere } from '../checks/tables.js'
import { isThenable, promiseOf } from '../checks/thenable.js'
import { historyOptions } from '../checks/topicTables.js'

/** How much of what is published on a topic is kept: what is over any of these limits is forgotten, the oldest first. */
export interface HistoryOptions {
  /** How many publications are kept. At least 1. Default: 1,000. */
  readonly messages?: number
  /** How many bytes of publications are kept, with their frames' headers. At least 1. Default: 1 MiB. */
  readonly bytes?: number
  /** How long a publication is kept, in milliseconds. At least 1. Default: 300,000. */
  readonly maxAge?: number
}

/** The option `topics`. */
export interface TopicsOptions {
  /**
   * What is kept of the publications on a topic, so that a client that comes back can be sent what it has missed: the
   * same for all topics, or what a function says of each. The function gets the topic, and returns undefined for one
   * that keeps nothing; it is called for each publication on such a topic, so it should be quick, and
   * answers at once: what it throws, or a promise, is an error of whoever publishes or subscribes. Default: nothing.
   */
  readonly history?: HistoryOptions | ((topic: string) => HistoryOptions | undefined)
  /**
   * How much memory the histories of all topics may take in this process, in bytes. What is oldest is forgotten first,
   * of whichever topic. Default: 64 MiB.
   */
  readonly historyMemory?: number
  /**
   * Whether publications are sent in an envelope that tells clients their topic and their position: for all topics, or
   * for each as a function says. Default: false.
   */
  readonly envelope?: boolean | ((topic: string) => boolean)
}

/** What is kept of one topic. */
export type HistoryLimits = Required<HistoryOptions>

const { messages, bytes, maxAge } = historyQuantities

/**
 * What the application's function says of a topic. Throws a TypeError for a promise, and as `createServer` does for options
 * that are none.
 */
export function historyOf(
  history: (topic: string) => HistoryOptions | undefined,
  topic: string,
): HistoryLimits | undefined {
  const options = atOnce('topics.history', history(topic))
  if (options === undefined) return undefined
  checkOptions(options, historyOptions, everywhere)
  return historyLimits(options)
}

/** What a function of the options has returned. A promise is no answer: it throws a TypeError, and what it rejects with is lost. */
export function atOnce<Value>(name: string, value: Value): Value {
  if (!isThenable(value)) return value
  promiseOf(value).catch(() => undefined)
  throw callerError('ERR_OPTION_KIND', `the function ${name} must answer at once, not by a promise`)
}

/** The limits that these options ask for. */
export function historyLimits(options: HistoryOptions): HistoryLimits {
  return {
    messages: options.messages ?? messages.byDefault,
    bytes: options.bytes ?? bytes.byDefault,
    maxAge: options.maxAge ?? maxAge.byDefault,
  }
}

/** The memory of all histories together. */
export function historyMemoryOf({ historyMemory }: TopicsOptions): number {
  return historyMemory ?? topicQuantities.historyMemory.byDefault
}
