// A certificate expires while the command runs. SIGHUP makes it read the files again, whether it serves by itself or by
// acceptors; files that are no good leave everything as it was.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { cert, key, otherCert, otherKey } from '../support/certificate.js'
import { dialSecurely } from '../support/places.js'
import { eventually } from '../support/socketClient.js'
import { CliProcess } from './cliProcess.js'

const options = { timeout: 30_000, skip: process.platform === 'win32' }

/** The CN of the certificate that the command shows. */
async function shown(cli: CliProcess): Promise<unknown> {
  const port = Number(/wss:\/\/127\.0\.0\.1:(\d+)/.exec(cli.stdout)?.[1])
  const client = await dialSecurely({ port, host: '127.0.0.1' })
  const name = (client.socket as TLSSocket).getPeerCertificate().subject.CN
  await client.destroy()
  return name
}

describe('SIGHUP renews the certificate', { concurrency: 2 }, () => {
  for (const args of [[], ['--acceptors', '1', '--drain-after', '1s', '--drain-over', '0']]) {
    test(args.length === 0 ? 'of a single process' : 'of acceptors', options, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
      const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
      const write = (certificate: string, itsKey: string): void => {
        writeFileSync(certFile, certificate)
        writeFileSync(keyFile, itsKey)
      }
      write(cert, key)
      const cli = await CliProcess.start(['--cert', certFile, '--key', keyFile, ...args])
      t.after(async () => {
        await cli.close()
        rmSync(folder, { recursive: true })
      })
      assert.equal(await shown(cli), 'localhost')
      write(otherCert, key)
      cli.kill('SIGHUP')
      await eventually(() => cli.stderr !== '', 'it complains')
      assert.equal(await shown(cli), 'localhost')
      write(otherCert, otherKey)
      cli.kill('SIGHUP')
      const begin = performance.now()
      while ((await shown(cli)) !== 'anna') assert.ok(performance.now() - begin < 15_000, cli.stderr)
    })
  }
})
