// What a program of a person's own can do with the connections of a load: the hooks of `millrace bench --script`.
import type { Connection } from '../connection/connection.js'
import type { Message } from '../connection/message.js'

/** What one process does of a load: all of it, unless the load has several `--processes`. */
export interface LoadPart {
  /** Which of the processes this is, from 0. */
  readonly process: number
  /** How many processes load. */
  readonly processes: number
  /** How many connections this process has. */
  readonly connections: number
  /** The number of the first of them among those of all processes, from 0. */
  readonly firstConnection: number
}

/** What the hooks tell the load, and what they can ask it. */
export interface LoadMeter {
  /**
   * Notes how long something took that began at `since`, as `performance.now()` told it, and ends now: it is one of the
   * latencies of the report, if it ends while the load is measured.
   */
  answered(since: number): void
  /** What this process does of the load: each process has the script, and what it keeps, for itself. */
  readonly part: LoadPart
}

/**
 * The hooks of a script: the module that `millrace bench --script` names exports one of them or more. What they throw, or
 * reject with, ends the load. `Data` is what the script keeps in `connection.data`, which is an empty object at first.
 */
export interface LoadScript<Data = Record<string, unknown>> {
  /** Called for each connection when it is open, before anything is delivered. */
  open?(connection: Connection<Data>, load: LoadMeter): void | Promise<void>
  /** Called for each message that comes. */
  message?(connection: Connection<Data>, message: Message, load: LoadMeter): void | Promise<void>
  /**
   * Called at the rate of `--rate`, for one connection after the other. `due` is when it was due, as `performance.now()`
   * tells it: what is noted from then on is charged for every delay.
   */
  tick?(connection: Connection<Data>, load: LoadMeter, due: number): void | Promise<void>
}

/** A connection of a script that says nothing else of its data. */
export type LoadedConnection = Connection<Record<string, unknown>>
