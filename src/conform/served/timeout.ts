// How long a case may take that a client is tested with.

/** In milliseconds. */
export const TIMEOUT = 10_000
