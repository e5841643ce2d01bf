// What tests of TLS and of users need: files of a certificate, and a process that trusts it, or does not.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cert, key } from '../support/certificate.js'

const program = fileURLToPath(new URL('accessProgram.js', import.meta.url))

/** A certificate and its key, until the test ends; and the folder that they lie in. */
export function certificateFiles(t: TestContext): { certFile: string; keyFile: string; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const [certFile, keyFile] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  return { certFile, keyFile, dir }
}

/** A process of its own publishes by one broker and receives by another; its last words. */
export async function publishes(t: TestContext, kind: string, url: string, ca?: string): Promise<string> {
  const env = ca === undefined ? process.env : { ...process.env, NODE_EXTRA_CA_CERTS: ca }
  const child = spawn(process.execPath, [program, kind, url], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  await once(child, 'close')
  return output.trim()
}
