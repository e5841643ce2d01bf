// The command with acceptors: one line when all listen, one when the port is taken, and the exit codes of a server.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WsClient } from '../clients/wsClient.js'
import { CliProcess, runCli } from '../command/cliProcess.js'

const options = { timeout: 60_000, skip: process.platform === 'win32' }

describe('millrace --acceptors', { skip: options.skip }, () => {
  test('one line tells how many; SIGTERM ends with 0', options, async (t) => {
    const cli = await CliProcess.start(['--acceptors', '2'])
    t.after(() => cli.close())
    const client = await WsClient.open(cli.url)
    client.socket.send('echo')
    assert.equal(await client.messages.next(), 'echo')
    cli.kill('SIGTERM')
    assert.equal((await client.ended).code, 1001)
    const { code, stdout, stderr } = await cli.outcome
    assert.deepEqual({ code, stderr }, { code: 0, stderr: 'millrace: closing 1 connection\n' })
    assert.match(
      stdout,
      /^millrace listens on http:\S+ and echoes ws:\S+ \(GET \/paths lists what else\), with 2 acceptors\n$/,
    )
  })

  test('a taken port is one line, and 1', options, async (t) => {
    const holder = await CliProcess.start()
    t.after(() => holder.close())
    const { code, stdout, stderr } = await runCli('--acceptors', '2', '--port', new URL(holder.url).port)
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
    assert.match(stderr, /^millrace: port \d+ is taken on 127\.0\.0\.1: [^\n]+\n$/)
  })
})
