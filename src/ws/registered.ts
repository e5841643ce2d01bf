// What a program that runs with `millrace/ws/register` gets for ws: the entry `millrace/ws`, whose clients are those of ws
// itself, where that is installed.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { debuglog } from 'node:util'
import { type Constructor, dialing } from './dialing.js'
import { noClientError } from './errors.js'
import Own from './module.js'
import { askers, lookingForItself, SPECIFIER } from './redirection.js'
import { webSocketInternals } from './webSocket.js'

/** The class of ws itself: as the program would find it, or as one of those who asked for ws. Throws an Error if there is none. */
function dialer(): Constructor {
  const program = process.argv[1]
  for (const from of [...(program === undefined ? [] : [program]), join(process.cwd(), '_'), ...askers]) {
    const found: unknown = lookingForItself(() => {
      try {
        const require = createRequire(from)
        return require(require.resolve(SPECIFIER)) // by its path: Node.js remembers what a folder was given for a name
      } catch {
        return undefined // it is not installed there
      }
    })
    if (typeof found === 'function' && found !== Own) return found as Constructor
  }
  throw noClientError()
}

const WebSocket = dialing(Own, webSocketInternals.owns, dialer)

debuglog('millrace')('whoever asks for ws is given millrace: %s', import.meta.url)

export * from './module.js'
export { WebSocket, WebSocket as default, WebSocket as 'module.exports' }
