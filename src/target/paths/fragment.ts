// `/fragment`: what comes goes back in fragments, with pings between them if that is asked for.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { flag, size } from '../parameters.js'
import { socketPath, type Visit } from '../socketPath.js'

/** The most fragments of one message: a long one comes in fragments that are longer than was asked for. */
const MOST_FRAGMENTS = 131_072

/** Fragments that are sent before the other connections have a turn. */
const MOST_IN_A_ROW = 128

export const fragmentPath = socketPath({
  path: '/fragment',
  about: 'sends every message back in fragments of this size, 131,072 at most, which may split characters',
  example: '/fragment?size=16KiB&ping',
  client: 'puts the fragments together, and answers a ping before the message is complete',
  parameters: {
    size: size('bytes of each fragment', 16 * 1024, 'size', 1),
    ping: flag('whether a ping comes before each fragment but the first'),
  },
  settings: { pendingHandlers: 1, pauseTimeout: 0 },
  visit: ({ connection, values }) => ({
    message(message) {
      const sent = connection.sendStream(piecesOf(message.bytes, values, connection), { binary: !message.isText })
      return sent.catch(() => undefined) // the connection has ended meanwhile
    },
  }),
})

async function* piecesOf(
  bytes: Uint8Array,
  { size: asked, ping }: { readonly size: number; readonly ping: boolean },
  connection: Visit<unknown>['connection'],
): AsyncGenerator<Uint8Array> {
  const length = Math.max(asked, Math.ceil(bytes.length / MOST_FRAGMENTS))
  if (bytes.length === 0) yield bytes
  for (let at = 0, number = 1; at < bytes.length; at += length, number++) {
    if (ping && at > 0) connection.ping()
    yield bytes.subarray(at, at + length)
    if (number % MOST_IN_A_ROW === 0) await nextTurn()
  }
}
