// What the connections of a load say to each other and to the server, while they stay open: who makes them, who sends, and what
// has become of it.
import type { ClientSocket } from './dial.js'
import type { LoadConnection } from './loadConnection.js'
import type { Material } from './material.js'
import type { LoadResult } from './result.js'
import type { Disorder } from './sequence.js'

/** Whoever sends on schedule. */
export interface Scheduled {
  /** Sends one message that was due at this time. */
  add(due: number): void
  /** When each message that is not answered yet was due. */
  readonly unanswered: readonly number[]
}

/** What those who send on schedule do not know when the time is over. */
export interface Missing {
  /** When each message was due that has not come. */
  readonly times: readonly number[]
  /** What is wrong with what has come. */
  readonly problem?: string
}

export interface Talk {
  /** What the connections share. */
  readonly material: Material
  /** Connections besides those that were asked for. */
  readonly extra: number
  /** The address to open, of one that was given. */
  addressOf(url: URL): URL
  /** Makes a connection; numbers are counted from 0. */
  joined(dialled: ClientSocket, number: number): LoadConnection
  /** Called when greetings are over, before the load begins; it begins when the promise is fulfilled. */
  ready?(): Promise<void>
  /** Begins the closed loop. */
  begin(): void
  /** Who sends in turn in the open loop, with at most so many unanswered messages for each. */
  schedules(most: number): readonly Scheduled[]
  /** Called when the time is over, before what has become of the messages is asked for. */
  over?(): Promise<Missing>
  /** Messages that may still be answered; undefined where nobody can tell. */
  readonly outstanding: number | undefined
  /** What has become of the messages. With `over`, what is unanswered now is lost. */
  disorder(over: boolean): Disorder
  /** At how many receivers that is, where each of several gets every message. */
  readonly disorderlyReceivers?: number
  /** What else was counted while it was measured. */
  readonly counts: LoadResult['counts']
  /** Gives back everything; the connections must be gone. */
  free(): void
}
