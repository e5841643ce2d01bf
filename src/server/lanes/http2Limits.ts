// What clients may have open over HTTP/2.

export interface Http2Limits {
  /**
   * How many streams a client may have open at once on one HTTP/2 session, WebSockets and requests together. Clients that
   * need more open another session. At least 1. Default: 256.
   */
  readonly maxStreams: number
}
