// The echo server compresses for whoever offers it wherever it serves: over TLS, in acceptors, and on topics that several
// processes share. The load client compares every byte.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { cert, key } from '../support/certificate.js'
import { eventually } from '../support/socketClient.js'
import { CliProcess } from './cliProcess.js'

const options = { timeout: 60_000 }
const acceptors = { ...options, skip: process.platform === 'win32' }
const LOAD = [
  '--deflate',
  '--verify',
  '--size',
  '2000',
  '--connections',
  '6',
  '--duration',
  '200ms',
  '--warmup',
  '50ms',
]

async function started(t: TestContext, ...args: string[]): Promise<CliProcess> {
  const server = await CliProcess.start(['--deflate', ...args])
  t.after(() => server.close())
  return server
}

async function loaded(url: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const { code, stdout, stderr } = await new CliProcess(['bench', url, ...LOAD, '--json'], env).outcome
  assert.equal(code, 0, stderr)
  const result: Record<string, unknown> = JSON.parse(stdout)
  assert.equal(result['error'], null)
  assert.equal(result['negotiated'], 'permessage-deflate; client_max_window_bits=12')
  assert.ok(Number(result['receivedMegabytesPerSecond']) < Number(result['megabytesPerSecond']) / 5)
}

describe('millrace --deflate', options, () => {
  test('over TLS', options, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key)
    const { stdout } = await started(t, '--cert', certFile, '--key', keyFile)
    const [url = ''] = /wss:\/\/\S+/.exec(stdout) ?? []
    await loaded(url, { NODE_EXTRA_CA_CERTS: certFile })
  })

  test('with acceptors', acceptors, async (t) => {
    await loaded((await started(t, '--acceptors', '2')).url)
  })

  test('on topics of several acceptors', acceptors, async (t) => {
    const { url } = await started(t, '--acceptors', '2')
    const got: string[][] = []
    const sockets = Array.from({ length: 8 }, (_, at) => {
      const socket = new WebSocket(`${url}/topics/news`, { perMessageDeflate: at % 4 === 0 ? false : { threshold: 0 } })
      t.after(() => socket.terminate())
      const texts: string[] = []
      got.push(texts)
      socket.on('message', (data) => void texts.push(String(data)))
      return socket
    })
    await eventually(() => sockets.every(({ readyState }) => readyState === WebSocket.OPEN), 'all are open')
    assert.deepEqual(
      sockets.map(({ extensions }) => extensions.startsWith('permessage-deflate')),
      sockets.map((_, at) => at % 4 !== 0),
    )
    // It takes a moment until every process knows what the others subscribe to.
    await eventually(() => {
      sockets[0]?.send('who is there?')
      return got.every((texts) => texts.length > 0)
    }, 'all hear of each other')
    const news = Array.from({ length: 20 }, (_, at) => `${at} ${'all of this is said again, '.repeat(30)}`)
    for (const text of news) sockets[1]?.send(text)
    const heard = (texts: string[]): string[] => texts.filter((text) => /^\d/.test(text))
    await eventually(() => got.every((texts) => heard(texts).length === news.length), 'all have everything')
    for (const texts of got) assert.deepEqual(heard(texts), news)
  })
})
