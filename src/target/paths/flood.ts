// `/flood`: frames that cost a client more than they cost the target, as many as the client takes.
import type { Connection } from '../../connection/connection.js'
import { Pacer } from '../pacer.js'
import { choice, count } from '../parameters.js'
import { socketPath } from '../socketPath.js'

const KINDS = ['message', 'ping', 'fragment'] as const
type FloodKind = (typeof KINDS)[number]

/** Bytes that may wait for a client that does not read, before the flood waits for it, too. */
const MOST_WAITING = 65_536

/** Milliseconds after which a client that did not read is looked at again: nothing tells when control frames have left. */
const LOOK_AGAIN = 5

export const floodPath = socketPath({
  path: '/flood',
  about: 'sends tiny frames without an end: empty messages, pings, or empty fragments of one message that never ends',
  example: '/flood?rate=5000&kind=ping',
  client: 'stays usable, answers pings, and closes when it has had enough; it need not answer all of many pings',
  needs: 'faults',
  pushes: true,
  settings: { pauseTimeout: 0, idleTimeout: 0 },
  parameters: {
    rate: count('frames per second; as many as the client reads if it is left out', undefined, 'rate', 1),
    kind: choice('what is sent', 'message', KINDS),
  },
  visit({ connection, values: { rate, kind } }) {
    const frame = frames(connection, kind)
    let timer: NodeJS.Timeout | undefined
    const send = (number: number): boolean => {
      frame(number)
      if (connection.bufferedAmount < MOST_WAITING) return true
      timer = setTimeout(() => pacer.goOn(), LOOK_AGAIN)
      return false
    }
    const pacer: Pacer = new Pacer({ rate, count: undefined, send, done: () => undefined })
    return {
      left() {
        clearTimeout(timer)
        pacer.end()
      },
    }
  },
})

function frames(connection: Connection, kind: FloodKind): (number: number) => void {
  if (kind === 'ping') return () => void connection.ping()
  if (kind === 'message') return () => void connection.send('')
  return () => void connection.sendFragment('', false)
}
