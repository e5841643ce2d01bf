// How long a broker takes at most for its end.

/** Milliseconds that `close` waits for what has been published: for confirmations, or for somebody who does not read. */
export const CLOSE_TIMEOUT = 2000
