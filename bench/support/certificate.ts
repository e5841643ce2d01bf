// The certificate of the servers that are measured over TLS, as files: not every server takes it from memory.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cert, key } from '../../test/support/certificate.js'
import { root } from './publish.js'

const folder = join(root, 'build')

/** Writes both files; returns their paths. Whoever reads one meanwhile finds it whole, as it is put into its place when it is. */
export function certificateFiles(): readonly [key: string, certificate: string] {
  const [keyFile, certFile] = [join(folder, 'peers-key.pem'), join(folder, 'peers-cert.pem')]
  mkdirSync(folder, { recursive: true })
  write(keyFile, key)
  write(certFile, cert)
  return [keyFile, certFile]
}

function write(file: string, text: string): void {
  const unready = `${file}.${process.pid}`
  writeFileSync(unready, text)
  renameSync(unready, file)
}
