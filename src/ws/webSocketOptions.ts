// The options that a WebSocket of either side has.

/** How long a peer may take for the closing handshake where nothing is said about it, in milliseconds. */
export const CLOSE_TIMEOUT = 30_000

/** The options of every WebSocket. */
export interface WebSocketOptions {
  /** Whether pings are answered. Default for a server: true. */
  readonly autoPong?: boolean | undefined
  /** Pongs that may be under way; 0 is any number. */
  readonly maxPendingAutoPongs?: number | undefined
  /**
   * How long the peer may take for the closing handshake, in milliseconds. Default: 30,000. A WebSocket that a program makes without an
   * address has none: without the option, it ends in the next millisecond, as that of ws.
   */
  readonly closeTimeout?: number | undefined
}
