// What a TLS connection says of itself and of its client, under the names that node:tls has for it.
import type { Buffer } from 'node:buffer'

/** The name of a certificate's subject or issuer, by parts: CN, O, OU and so on. */
export type CertificateName = Readonly<Record<string, string | readonly string[] | undefined>>

/** A client's certificate, as `getPeerCertificate` of node:tls returns it. */
export interface ClientCertificate {
  /** Whom the certificate names. */
  readonly subject: CertificateName
  /** Who has signed the certificate. */
  readonly issuer: CertificateName
  /** Other names of the subject, such as DNS names. */
  readonly subjectaltname?: string | undefined
  /** The serial number, in hexadecimal digits. */
  readonly serialNumber: string
  /** The date from which the certificate is valid, as text. */
  readonly valid_from: string
  /** The date until which the certificate is valid, as text. */
  readonly valid_to: string
  /** The SHA-256 fingerprint of the certificate. */
  readonly fingerprint256: string
  /** The certificate in the form DER, for `new X509Certificate(raw)` of node:crypto. */
  readonly raw: Buffer
}

/** The cipher of a TLS connection. */
export interface TlsCipher {
  /** The cipher's name in OpenSSL. */
  readonly name: string
  /** The cipher's name in the RFCs. */
  readonly standardName: string
  /** The lowest version of TLS that has this cipher. */
  readonly version: string
}

/** What a TLS handshake has revealed. */
export interface TlsFacts {
  /** Whether the client has shown a certificate that is signed by one of the authorities in `ca`. */
  readonly authorized: boolean
  /** Why the client is not authorized, as an error code of OpenSSL. Undefined if it is authorized. */
  readonly authorizationError: string | undefined
  /** The client's certificate, even if it is not authorized. Undefined if the client has shown none. */
  readonly peerCertificate: ClientCertificate | undefined
  /** The version of TLS: `TLSv1.3`, for example. */
  readonly protocol: string | undefined
  /** The cipher of the connection. */
  readonly cipher: TlsCipher | undefined
  /** The host name that the client has asked for (SNI). */
  readonly servername: string | undefined
  /** The protocol that both sides have agreed on by ALPN: `http/1.1`, or undefined. */
  readonly alpnProtocol: string | undefined
}
