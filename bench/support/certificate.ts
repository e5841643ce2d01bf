// The certificate of the servers that are measured over TLS, as files: not every server takes it from memory.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cert, key } from '../../test/support/certificate.js'
import { root } from './publish.js'

const folder = join(root, 'build')
/** Writes both files; returns their paths. */
export function certificateFiles(): readonly [key: string, certificate: string] {
  const [keyFile, certFile] = [join(folder, 'peers-key.pem'), join(folder, 'peers-cert.pem')]
  mkdirSync(folder, { recursive: true })
  writeFileSync(keyFile, key)
  writeFileSync(certFile, cert)
  return [keyFile, certFile]
}
