// The options of node:tls that people give: it may know more.
import { dhParameters, pem, pkcs12 } from './addresses.js'
import { type Checklist, callback, flag, text, wholeNumber } from './kinds.js'

/** A limit of node:tls, whose bounds are for node:tls to tell. */
const limit = wholeNumber(0)

/** Those that people give; node:tls may know more. */
export const tlsOptions = {
  owner: 'the option tls',
  prefix: 'tls.',
  example: (name: string) => `listen({ tls: { ${name} } })`,
  open: true,
  options: {
    key: pem,
    cert: pem,
    ca: pem,
    crl: pem,
    pfx: pkcs12,
    dhparam: dhParameters,
    passphrase: { ...text, secret: true },
    requestCert: flag,
    rejectUnauthorized: flag,
    honorCipherOrder: flag,
    enableTrace: flag,
    SNICallback: callback,
    ALPNCallback: callback,
    pskCallback: callback,
    ciphers: text,
    ecdhCurve: text,
    sigalgs: text,
    minVersion: text,
    maxVersion: text,
    secureProtocol: text,
    sessionIdContext: text,
    pskIdentityHint: text,
    privateKeyEngine: text,
    privateKeyIdentifier: text,
    handshakeTimeout: limit,
    sessionTimeout: limit,
  },
} satisfies Checklist
