// What a TLS connection says of itself and of its client, under the names that node:tls has for it.
import type { Buffer } from 'node:buffer'

/** Who holds a certificate, or has signed it: CN, O, OU and so on. */
export type CertificateName = Readonly<Record<string, string | readonly string[] | undefined>>

/** A client's certificate, as `getPeerCertificate` of node:tls has it. */
export interface ClientCertificate {
  readonly subject: CertificateName
  readonly issuer: CertificateName
  readonly subjectaltname?: string | undefined
  readonly serialNumber: string
  readonly valid_from: string
  readonly valid_to: string
  readonly fingerprint256: string
  /** DER, for `new X509Certificate(raw)` of node:crypto. */
  readonly raw: Buffer
}

/** The cipher of a connection, and the least version of TLS that has it. */
export interface TlsCipher {
  readonly name: string
  readonly standardName: string
  readonly version: string
}

/** What the TLS handshake has told. */
export interface TlsFacts {
  /** Whether the client has shown a certificate that one of the authorities in `ca` has signed. */
  readonly authorized: boolean
  /** Why not, as a code of OpenSSL's. */
  readonly authorizationError: string | undefined
  /** The client's certificate, also one that is not authorized; undefined if it has shown none. */
  readonly peerCertificate: ClientCertificate | undefined
  /** `TLSv1.3`, for instance. */
  readonly protocol: string | undefined
  /** The cipher: `name` is OpenSSL's, `standardName` that of the RFCs. */
  readonly cipher: TlsCipher | undefined
  /** The name that the client has asked for (SNI). */
  readonly servername: string | undefined
  /** The protocol that was agreed on by ALPN: `http/1.1`, or nothing. */
  readonly alpnProtocol: string | undefined
}
