// A server under measurement, on one of the two engines.
import { fileURLToPath } from 'node:url'
import { MeasuredServer } from '../support/measuredServer.js'

export type Engine = 'ws' | 'millrace'

/**
 * It echoes: with a callback for each message, as text that was decoded, or compressed. Or it tells everyone what one says, as
 * socket.io does for a room: by a frame that is made once, with a callback for each.
 */
export type Mode = 'echo' | 'callback' | 'text' | 'deflate' | 'room'

/** Whether it takes the upgrades of an HTTP server, or listens by itself. */
export type Place = 'http' | 'port'

const PROGRAM = fileURLToPath(new URL('./server.js', import.meta.url))

/** Starts the program on one of the engines. */
export function openTarget(engine: Engine, mode: Mode, place: Place): Promise<MeasuredServer> {
  return MeasuredServer.open(PROGRAM, [engine, mode, place])
}
