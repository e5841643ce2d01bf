// node:tls and node:https, which are loaded when they are first needed: most servers do without, and start sooner.
import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** The module node:tls. */
export function tlsModule(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls')
}

/** The module node:https. */
export function httpsModule(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}

/** Whether a stream is a socket of node:tls. Such sockets alone say that they are encrypted, so others load nothing. */
export function isSecure(stream: unknown): stream is TLSSocket {
  return stream instanceof Socket && 'encrypted' in stream && stream instanceof tlsModule().TLSSocket
}
