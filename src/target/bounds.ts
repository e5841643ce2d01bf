// What a visitor may ask of the target, at most. Whoever runs a target may choose other bounds; nobody who visits it can
// pass them.
import type { Quantity } from '../checks/quantities.js'

/** The bounds of what the paths of a target may be asked for, for each connection unless it says otherwise. */
export interface Bounds {
  /** The longest message that a path sends because it was asked for that length, in bytes. Default: 16 MiB. */
  readonly size: number
  /** The most messages that a path sends per second, where it was asked for a rate. Default: 10,000. */
  readonly rate: number
  /** The most messages that a path may be asked to send or to count. Default: 10,000,000. */
  readonly count: number
  /** The longest time for which a path waits, pushes or stalls, in milliseconds. Default: 600,000. */
  readonly time: number
  /**
   * How many connections of a process may be pushed to, flooded or stalled at the same time. Further ones are refused
   * with 503. Default: 64.
   */
  readonly pushers: number
}

/** Each bound: its unit, its default, the least that it may be, and the words of the command line. */
export const boundQuantities = {
  size: { unit: 'bytes', byDefault: 16 * 1024 * 1024, least: 1, help: 'longest message that /source and others send' },
  rate: { unit: 'count', byDefault: 10_000, least: 1, help: 'messages per second that a client may ask for' },
  count: { unit: 'count', byDefault: 10_000_000, least: 1, help: 'messages that a client may ask for' },
  time: { unit: 'ms', byDefault: 600_000, least: 1, most: 2 ** 30, help: 'how long a path waits, pushes or stalls' },
  pushers: { unit: 'count', byDefault: 64, least: 0, help: 'connections pushed to or stalled at once' },
} as const satisfies Readonly<Record<keyof Bounds, Quantity & { readonly help: string }>>

export const defaultBounds: Bounds = {
  size: boundQuantities.size.byDefault,
  rate: boundQuantities.rate.byDefault,
  count: boundQuantities.count.byDefault,
  time: boundQuantities.time.byDefault,
  pushers: boundQuantities.pushers.byDefault,
}
