// Clients that ask for topics by the envelope protocol: a message of theirs is answered here, if the application says that they
// may have the topic.
import { Buffer } from 'node:buffer'
import { callerError } from '../checks/errors.js'
import { isThenable, promiseOf } from '../checks/thenable.js'
import type { Connection } from '../connection/connection.js'
import { Message } from '../connection/message.js'
import { CloseCode } from '../protocol/closeCode.js'
import { MAX_TOPIC_BYTES } from './broker.js'
import { headerAlone, readEnvelope } from './envelope.js'

/** A request is not longer: a topic, which JSON may say in six bytes for one, and a position. */
const LONGEST = 6 * MAX_TOPIC_BYTES + 128
const BEGINNING = /^\{"(?:un)?subscribe":/

/** What is the client's own fault: it has too many topics, or asks for what is none. */
const FAULTS: ReadonlySet<string> = new Set(['ERR_MAX_SUBSCRIPTIONS', 'ERR_MAX_TOPICS', 'ERR_TOPIC_NAME'])

/** Subscriptions that were asked for, and are neither answered nor ended. */
const unanswered = new WeakMap<Connection<unknown>, Set<{ readonly topic: string }>>()

/**
 * Answers a message of a client that asks for a topic by the envelope protocol, which `millrace/client` speaks and the guide
 * on topics describes. Call it at the beginning of the `message` handler. Returns false for every other message, which is
 * then for the application. `allows` is asked whether the client may subscribe to the topic; a client that may not is
 * told so: it must say so at once, not by a promise. Unsubscribing is always allowed. Throws a TypeError for wrong arguments,
 * also where `allows` returns a promise, and what `allows` and the option `topics.history` throw: nothing is subscribed then.
 * @example
 * ```js
 * import { createServer, serveTopics } from 'millrace'
 *
 * const server = createServer({
 *   topics: { history: { messages: 1000 }, envelope: true },
 *   message(connection, message) {
 *     if (serveTopics(connection, message, (topic) => topic.startsWith('public/'))) return
 *     connection.publish('public/chat', message)
 *   },
 * })
 * ```
 */
export function serveTopics(
  connection: Connection<unknown>,
  message: Message,
  allows: (topic: string) => boolean,
): boolean {
  if (!(message instanceof Message) || typeof allows !== 'function')
    throw callerError(
      'ERR_ARGUMENT_KIND',
      'serveTopics takes a connection, a message and a function: serveTopics(connection, message, (topic) => true)',
    )
  if (!message.isText || message.byteLength > LONGEST || !BEGINNING.test(message.text())) return false
  const { header, payload } = readEnvelope(message) ?? {}
  if (header === undefined || payload !== '') return false
  const { subscribe, unsubscribe, after } = header
  if (typeof unsubscribe === 'string') leave(connection, unsubscribe)
  else if (typeof subscribe === 'string')
    join(connection, subscribe, typeof after === 'string' ? after : undefined, allows)
  else return false
  return true
}

/** A subscription that ends before it is answered gets no other answer: it would be taken for that of the next one. */
function leave(connection: Connection<unknown>, topic: string): void {
  const asked = unanswered.get(connection)
  for (const one of asked ?? []) if (one.topic === topic) asked?.delete(one)
  connection.unsubscribe(topic)
  answer(connection, { unsubscribed: topic })
}

function join(
  connection: Connection<unknown>,
  topic: string,
  after: string | undefined,
  allows: (topic: string) => boolean,
): void {
  const isTopic = topic !== '' && Buffer.byteLength(topic) <= MAX_TOPIC_BYTES
  if (!isTopic || !isAllowed(topic, allows)) return answer(connection, { refused: topic, reason: 'not-allowed' })
  try {
    const resumption = connection.subscribe(topic, { after })
    const one = { topic }
    const asked = (unanswered.get(connection) ?? new Set()).add(one)
    unanswered.set(connection, asked)
    resumption.then(({ resumed, position, ...rest }) => {
      if (asked.delete(one)) answer(connection, { subscribed: topic, resumed, position, ...rest })
    })
  } catch (error) {
    const { code = '' } = Object(error)
    if (!FAULTS.has(code)) throw error // of the application: its function `history` has thrown
    answer(connection, { refused: topic, reason: code })
  }
}

/** A promise is no permission. */
function isAllowed(topic: string, allows: (topic: string) => unknown): boolean {
  const allowed = allows(topic)
  if (!isThenable(allowed)) return Boolean(allowed)
  promiseOf(allowed).catch(() => undefined)
  throw callerError(
    'ERR_ARGUMENT_KIND',
    'the third argument of serveTopics must return true or false, not a promise: find out before, in upgrade for instance',
  )
}

/** A client must not wait for an answer that was dropped: it is to connect again. */
function answer(connection: Connection<unknown>, header: object): void {
  if (connection.send(headerAlone(header)) !== 'dropped') return
  connection.close(CloseCode.tryAgainLater, 'an answer found no room')
}
