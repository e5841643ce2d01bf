// The application's own check of who a server is. Where it throws, node:tls would throw in a listener: the process would end, or
// with a handler of uncaught exceptions, the request would go to a server that nobody has vouched for.
import type { ConnectionOptions } from 'node:tls'
import { asError } from './connectError.js'

/** The same options; whatever `checkServerIdentity` throws or returns is undefined or an Error for node:tls. */
export function withSafeCheck(tls: ConnectionOptions): ConnectionOptions {
  if (typeof tls.checkServerIdentity !== 'function') return tls
  const checkServerIdentity: ConnectionOptions['checkServerIdentity'] = (host, certificate) => {
    try {
      const refused: unknown = tls.checkServerIdentity?.(host, certificate)
      return refused ? asError(refused) : undefined
    } catch (error) {
      return asError(error)
    }
  }
  return { ...tls, checkServerIdentity }
}
