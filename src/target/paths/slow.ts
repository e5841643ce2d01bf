// `/slow`, `/stall` and `/silent`: servers that hardly work, or not any more.
import { count, size, time } from '../parameters.js'
import { socketPath } from '../socketPath.js'

const patient = { pauseTimeout: 0, idleTimeout: 0, pingInterval: 0 }

export const slowPaths = [
  socketPath({
    path: '/slow',
    about: 'reads and writes slowly: what comes goes back at this many bytes per second, and is read no faster',
    example: '/slow?bytes=1KiB',
    client: 'takes a frame that comes in many small reads, and does not send faster than the target reads',
    needs: 'faults',
    pushes: true,
    streams: true,
    settings: { ...patient, streamThreshold: 0, pendingHandlers: 1 },
    parameters: { bytes: size('bytes per second', 1024, 'size', 1) },
    spoil({ connection, values: { bytes }, wire }) {
      wire.writeSlowly(bytes)
      return {
        stream: (message) => connection.sendStream(message, { binary: !message.isText }).catch(() => undefined), // it has ended meanwhile
      }
    },
  }),
  socketPath({
    path: '/stall',
    about: 'stops reading, at once or after so many messages, and leaves the connection open for a time',
    example: '/stall?after=3&time=30s',
    client: 'notices that what it sends piles up, stops sending, and gives up after a time of its own',
    needs: 'faults',
    pushes: true,
    settings: patient,
    parameters: {
      after: count('messages that are echoed before it stops', 0),
      time: time('time after which it ends the connection', 60_000),
    },
    visit({ connection, values }) {
      let left = values.after
      // Without reading, nobody notices that the client has left.
      const timer = setTimeout(() => connection.terminate(), values.time)
      if (left === 0) connection.pause()
      return {
        message(message) {
          connection.send(message)
          left--
          if (left === 0) connection.pause()
        },
        left: () => clearTimeout(timer),
      }
    },
  }),
  socketPath({
    path: '/silent',
    about: 'reads everything and says nothing: no echo, no pong, no answer to Close',
    example: '/silent',
    client: 'pings, misses the pong, and ends the connection with 1006 by itself',
    needs: 'faults',
    pushes: true,
    settings: patient,
    parameters: {},
    spoil({ wire }) {
      wire.fallSilent()
      return {}
    },
  }),
]
