// Every number that may be given as an option and is no limit of a server, once: its unit, its default, and the least and
// the most it may be. The checks of options and the defaults are read from here.

/** A number that may be given as an option. */
export interface Quantity {
  /** Marks a close code, which is no amount: whether it may be sent is checked where it is used. */
  readonly unit: 'bytes' | 'ms' | 'count' | 'code'
  /** What holds where nothing is given. Absent where that depends on the machine, or on another option. */
  readonly byDefault?: number
  readonly least: number
  /** Default: 2^53 - 1. */
  readonly most?: number
}

/** A timer of Node's takes 2^31 - 1 ms; two times that are added must not pass it. */
const LONGEST_TIME = 2 ** 30

/** Where the 64-bit tier of payload lengths begins (RFC 6455, section 5.2). */
const SIXTY_FOUR_BIT_TIER = 65_536

/** The numbers of a route that are no limits of a connection. */
export const routeQuantities = {
  streamThreshold: { unit: 'bytes', byDefault: SIXTY_FOUR_BIT_TIER - 1, least: 0 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of the option `large`. */
export const largeQuantities = {
  /** Shorter messages may lie in the inbox, which the next read overwrites. */
  threshold: { unit: 'bytes', byDefault: SIXTY_FOUR_BIT_TIER, least: 32_769 },
  /** Default: the processors. */
  threads: { unit: 'count', least: 1 },
  queue: { unit: 'count', byDefault: 256, least: 0 },
  timeout: { unit: 'ms', byDefault: 30_000, least: 0 },
  idleTimeout: { unit: 'ms', byDefault: 10_000, least: 0 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of the option `deflate`. */
export const deflateQuantities = {
  threshold: { unit: 'bytes', byDefault: 64, least: 0 },
  memory: { unit: 'bytes', byDefault: 256 * 1024 * 1024, least: 0 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The windows of permessage-deflate, as powers of two (RFC 7692, section 7.1.2). */
export const windowQuantities = {
  server: { unit: 'count', byDefault: 12, least: 8, most: 15 },
  client: { unit: 'count', byDefault: 12, least: 8, most: 15 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of the option `reconnect` of `connect`. */
export const reconnectQuantities = {
  delay: { unit: 'ms', byDefault: 500, least: 1, most: LONGEST_TIME },
  maxDelay: { unit: 'ms', byDefault: 30_000, least: 1, most: LONGEST_TIME },
  attempts: { unit: 'count', byDefault: 0, least: 0 },
  buffer: { unit: 'bytes', byDefault: 1024 * 1024, least: 0 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of `connect` that are no limits of a connection. */
export const clientQuantities = {
  followRedirects: { unit: 'count', byDefault: 0, least: 0, most: 100 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of acceptors, for `listen`. */
export const clusterQuantities = {
  /** Default: none. */
  acceptors: { unit: 'count', least: 1, most: 1024 },
  drainAfter: { unit: 'ms', byDefault: 5000, least: 0, most: LONGEST_TIME },
  drainOver: { unit: 'ms', byDefault: 10_000, least: 0, most: LONGEST_TIME },
  drainCode: { unit: 'code', byDefault: 1012, least: 1000, most: 4999 },
  startTimeout: { unit: 'ms', byDefault: 30_000, least: 0, most: LONGEST_TIME },
  stopTimeout: { unit: 'ms', byDefault: 15_000, least: 0, most: LONGEST_TIME },
  hangTimeout: { unit: 'ms', byDefault: 30_000, least: 0, most: LONGEST_TIME },
} as const satisfies Readonly<Record<string, Quantity>>

/** The times of `server.close`. */
export const closeQuantities = {
  drainAfter: { unit: 'ms', byDefault: 0, least: 0, most: LONGEST_TIME },
  drainOver: { unit: 'ms', byDefault: 0, least: 0, most: LONGEST_TIME },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of the option `topics`. */
export const topicQuantities = {
  historyMemory: { unit: 'bytes', byDefault: 64 * 1024 * 1024, least: 0 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of `topics.history`. */
export const historyQuantities = {
  messages: { unit: 'count', byDefault: 1000, least: 1 },
  bytes: { unit: 'bytes', byDefault: 1024 * 1024, least: 1 },
  maxAge: { unit: 'ms', byDefault: 300_000, least: 1 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of `createPresence`. */
export const presenceQuantities = {
  lease: { unit: 'ms', byDefault: 10_000, least: 30, most: LONGEST_TIME },
  named: { unit: 'count', byDefault: 100, least: 0 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of `redisBroker` and `natsBroker`. */
export const redisQuantities = {
  maxBuffered: { unit: 'bytes', byDefault: 8 * 1024 * 1024, least: 1 },
  timeout: { unit: 'ms', byDefault: 10_000, least: 1 },
} as const satisfies Readonly<Record<string, Quantity>>

/** The numbers of `redisStreamsBroker`. */
export const streamQuantities = {
  maxLength: { unit: 'count', byDefault: 10_000, least: 1 },
  ...redisQuantities,
} as const satisfies Readonly<Record<string, Quantity>>

/** What holds of a table where nothing is given. */
export function defaultsOf<Name extends string>(
  table: Readonly<Record<Name, Quantity & { readonly byDefault: number }>>,
): Readonly<Record<Name, number>> {
  const entries = Object.entries<{ readonly byDefault: number }>(table)
  return Object.fromEntries(entries.map(([name, { byDefault }]) => [name, byDefault])) as Record<Name, number>
}

/** The numbers of a table as `options` say them, and as `base` says the others. */
export function numbersOf<Name extends string>(
  options: object,
  base: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  const entries = Object.entries<number>(base)
  const given = entries.map(([name, otherwise]) => [name, Number(Reflect.get(options, name) ?? otherwise)])
  return Object.fromEntries(given) as Record<Name, number>
}
