// A streamed message as a Readable. A peer that leaves amid it is nobody's mistake, so as with node:http's requests, that is
// an 'error' only where somebody listens for it: without a listener, an 'error' would end the process.
import { Readable } from 'node:stream'
import { ConnectionEnded } from '../ended.js'

/** Where the chunks come from. */
export interface Chunks {
  next(): Promise<IteratorResult<Buffer, undefined>>
  return(): Promise<unknown>
}

/** Reads `message` as far as it is asked to; destroying the Readable leaves the message. */
export function readableOf(message: Chunks): Readable {
  const readable = new Readable({
    read() {
      // A listener for 'data' may throw: that ends the Readable, too.
      message
        .next()
        .then(({ value }) => readable.push(value ?? null))
        .catch((error: Error) => readable.destroy(error))
    },
    destroy(error, done) {
      message.return()
      // A listener may still be added in this turn.
      process.nextTick(() =>
        done(error instanceof ConnectionEnded && readable.listenerCount('error') === 0 ? null : error),
      )
    },
  })
  return readable
}
