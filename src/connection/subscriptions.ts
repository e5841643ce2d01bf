// The subscriptions of a connection to the topics of its server. Each costs memory that the peer may have asked for, so it
// counts as held by the connection.
import type { Budget } from '../memory/budget.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Owner } from './owner.js'
import type { Resumption, Returning, SubscribeOptions } from './resumption.js'
import type { Publisher, Subscriber } from './subscriber.js'

/** Bytes that a subscription costs. */
const COST = 512

/** What the subscriptions of a connection need of what it shares with others. */
export interface SubscriptionsContext {
  readonly topics: Publisher
  readonly budget: Budget
  readonly limits: { readonly maxSubscriptions: number; readonly outputLimit: number }
}

/** Subscribes. Without memory for it, the connection fails. Throws as `Publisher.subscribe` does. */
export function subscribe(
  { topics, budget, limits }: SubscriptionsContext,
  subscriber: Subscriber,
  owner: Owner,
  topic: string,
): void {
  if (owner.gone || topics.isSubscribed(subscriber, topic)) return
  topics.subscribe(subscriber, topic, limits.maxSubscriptions)
  charge(budget, owner)
}

/** Subscribes, after what was missed. Otherwise as `subscribe`. */
export function resume(
  { topics, budget, limits }: SubscriptionsContext,
  subscriber: Subscriber & { readonly buffered: number },
  owner: Owner & { readonly isOpen: boolean },
  topic: string,
  { after }: SubscribeOptions,
): Promise<Resumption> {
  if (owner.gone)
    return Promise.resolve({ resumed: false, gap: { reason: 'closed', missed: undefined }, position: undefined })
  const isNew = !topics.isSubscribed(subscriber, topic)
  const returning: Returning = {
    after,
    room: () => ({ bytes: limits.outputLimit - subscriber.buffered, empty: subscriber.buffered === 0 }),
    get isOpen() {
      return owner.isOpen
    },
  }
  const resumption = topics.resume(subscriber, topic, limits.maxSubscriptions, returning)
  if (isNew) charge(budget, owner)
  return resumption
}

/** Without memory for a subscription, the connection fails. */
function charge(budget: Budget, owner: Owner): void {
  const admitted = budget.admits(owner, COST)
  budget.charge(COST)
  budget.attribute(owner, COST)
  if (!admitted) owner.violated(new ProtocolViolation('MEMORY_SPENT'))
}

export function unsubscribe(
  { topics, budget }: SubscriptionsContext,
  subscriber: Subscriber,
  owner: Owner,
  topic: string,
): void {
  if (topics.unsubscribe(subscriber, topic)) budget.release(owner, COST)
}

/** The connection has ended, and so have its subscriptions. */
export function leaveTopics({ topics, budget }: SubscriptionsContext, subscriber: Subscriber, owner: Owner): void {
  budget.release(owner, topics.leave(subscriber) * COST)
}
