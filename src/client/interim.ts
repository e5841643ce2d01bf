// Interim responses (1xx, RFC 9110, section 15.2) come before the one that counts, and node:http takes any number of them.
import type { ClientRequest } from 'node:http'

/** A server that writes more is no server. */
const MOST_INTERIM = 16

/** What is wrong then, as the rest of a sentence about the server. */
export const INTERIM = 'sends interim responses without end'

/** Ends the request when there are too many, which is told before. */
export function limitInterim(request: ClientRequest, tooMany: () => void): void {
  let left = MOST_INTERIM
  request.on('information', () => {
    if (left-- > 0) return
    tooMany()
    request.destroy()
  })
}
