// Reads off a TLS socket what the application may want to know of it.
import { isSecure } from '../../internals/tls.js'
import type { TlsFacts } from '../../protocol/tlsFacts.js'

/** What the socket of a server tells now, which is all there is until it ends; undefined for one without TLS. */
export function tlsFactsOf(socket: unknown): TlsFacts | undefined {
  if (!isSecure(socket)) return undefined
  const { authorized, authorizationError, alpnProtocol } = socket
  const certificate = socket.getPeerCertificate()
  return Object.freeze({
    authorized,
    authorizationError: authorizationError ? String(authorizationError) : undefined,
    // Without a certificate, and for a socket that has ended, node:tls has an object without properties, or null.
    peerCertificate: certificate?.raw === undefined ? undefined : certificate,
    protocol: socket.getProtocol() ?? undefined,
    cipher: socket.getCipher(),
    servername: Reflect.get(socket, 'servername') || undefined,
    alpnProtocol: alpnProtocol || undefined,
  })
}
