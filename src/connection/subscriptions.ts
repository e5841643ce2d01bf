// What a connection asks of the topics of its server. Each subscription is memory that the peer may have asked for.
import type { Budget, Holder } from '../payload/budget.js'
import type { Publisher, Subscriber } from './subscriber.js'

/** Bytes that a subscription costs. */
const COST = 512

/** What the subscriptions of a connection need of what it shares with others. */
export interface SubscriptionsShared {
  readonly topics: Publisher
  readonly budget: Budget
  readonly limits: { readonly maxSubscriptions: number }
}

/** Subscribes; false if there is no memory for it, and the connection must end. Throws as `Publisher.subscribe` does. */
export function subscribe(
  { topics, budget, limits }: SubscriptionsShared,
  subscriber: Subscriber,
  holder: Holder,
  topic: string,
): boolean {
  if (topics.isSubscribed(subscriber, topic)) return true
  topics.subscribe(subscriber, topic, limits.maxSubscriptions)
  const admitted = budget.admits(holder, COST)
  budget.charge(COST)
  budget.attribute(holder, COST)
  return admitted
}

export function unsubscribe(
  { topics, budget }: SubscriptionsShared,
  subscriber: Subscriber,
  holder: Holder,
  topic: string,
): void {
  if (topics.unsubscribe(subscriber, topic)) budget.forget(holder, COST)
}

/** The connection has ended, and so have its subscriptions. */
export function leaveTopics({ topics, budget }: SubscriptionsShared, subscriber: Subscriber, holder: Holder): void {
  budget.forget(holder, topics.leave(subscriber) * COST)
}
