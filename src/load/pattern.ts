// What the connections of a load do, where that is anything else than waiting for echoes.
import type { LoadPart, LoadScript } from './loadScript.js'

/** How many connections are opened in a second, on schedule. */
interface Arriving {
  readonly rate: number
  /** Seconds in which the rate rises from 0. Default: 0, it is there at once. */
  readonly ramp?: number
}

/** What one of several processes does of a fan-out. */
export interface FanOutPart {
  /** The number in the stamps of all processes, by which their messages are told from those of others. */
  readonly stamp: number
  /** Whether this process has the connection that sends. */
  readonly sends: boolean
  /** The receivers of the other processes. */
  readonly elsewhere: number
}

export type Pattern =
  /** Each message is answered by so many, which may say anything; where it is 0, a pong says that the server has read. */
  | { readonly name: 'reply'; readonly answers: number }
  /** One connection more sends to a topic, and all others receive. */
  | { readonly name: 'fanout'; readonly topic: string; readonly part?: FanOutPart }
  /** Connections open at a rate, and are then held idle for `duration`. */
  | ({ readonly name: 'connect' } & Arriving)
  /** Connections open at a rate, exchange a message, and close; `connections` is the most that there are at once. */
  | ({ readonly name: 'churn' } & Arriving)
  /** JSON, of which the answers are known by a field; `message` is an object as JSON that is sent instead of ours. */
  | { readonly name: 'match'; readonly field: string; readonly message?: string }
  /** A program says what is sent, and what an answer is; other processes load it from its file. */
  | { readonly name: 'script'; readonly script: LoadScript; readonly file?: string; readonly part?: LoadPart }
