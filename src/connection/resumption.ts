// What a subscription that asks for what was missed is told.

/** How `subscribe` subscribes. */
export interface SubscribeOptions {
  /**
   * The position after which publications are wanted: one that an earlier `subscribe` or the envelope of a publication
   * has told. Default: none, so only what is published from now on is sent.
   */
  readonly after?: string | undefined
}

/**
 * Why what was missed can't be sent:
 *
 * - `'forgotten'`: the topic's history does not reach back so far.
 * - `'epoch'`: the position is of another epoch: whoever has numbered the publications has ended since.
 * - `'broker'`: the broker was away since, so that publications of other processes may be missing.
 * - `'unreachable'`: the process that keeps the history did not answer.
 * - `'position'`: it is no position of this topic.
 * - `'no-history'`: the topic keeps nothing.
 * - `'subscribed'`: the connection subscribes to the topic already, so nothing is sent again.
 * - `'closed'`: the connection has ended, or the subscription was ended, before everything was sent.
 */
export type GapReason =
  | 'forgotten'
  | 'epoch'
  | 'broker'
  | 'unreachable'
  | 'position'
  | 'no-history'
  | 'subscribed'
  | 'closed'

/** What is known of publications that a client has missed and is not sent. */
export interface Gap {
  /** Why they can't be sent. */
  readonly reason: GapReason
  /** How many publications are missing; undefined where nobody knows. */
  readonly missed: number | undefined
}

/** What `subscribe` answers: yes, everything that was missed has been sent; or no, and why. */
export type Resumption =
  | {
      readonly resumed: true
      /** Where the topic stands: everything up to here has been sent, and what follows will be. */
      readonly position: string
    }
  | {
      readonly resumed: false
      readonly gap: Gap
      /** Where the topic stands: what follows will be sent. Undefined without a history. */
      readonly position: string | undefined
    }

/** Someone who wants what was missed. */
export interface Returning {
  readonly after: string | undefined
  /** Whether it was subscribed all the time, and something has been late. */
  readonly isLate?: boolean
  /** Whether anything can be sent to it. */
  readonly isOpen: boolean
  /** Bytes that may be sent before the output is at its limit; the whole limit if nothing waits. */
  room(): { readonly bytes: number; readonly empty: boolean }
}
