// What the command does when nobody reads what it says, and when a file that it is to write can't be written.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client/connect.js'
import { echoServer, options } from '../load/peers.js'
import { CliProcess, cliPath, runCli } from './cliProcess.js'

const SHORT = ['--connections', '2', '--duration', '200ms', '--warmup', '0']
const FULL = '/dev/full'

describe('nobody reads what the command says', { concurrency: 2 }, () => {
  test('a target goes on when its log has no reader any more', options, async (t) => {
    const target = await CliProcess.start(['--log-connections'])
    t.after(() => target.close())
    target.child.stdout.destroy()
    target.child.stderr.destroy()
    for (let visit = 0; visit < 5; visit++) {
      const connection = await connect(target.url)
      connection.close()
      await sleep(20)
    }
    const ended = await Promise.race([target.outcome.then(() => true), sleep(100).then(() => false)])
    assert.equal(ended, false)
    target.kill('SIGTERM')
    assert.equal((await target.outcome).code, 0)
  })

  test('a load whose reader leaves ends without a stack trace, and with 1', options, async (t) => {
    const cli = new CliProcess(['bench', await echoServer(t), ...SHORT])
    cli.child.stdout.destroy()
    const { code, stderr } = await cli.outcome
    assert.deepEqual({ code, stderr }, { code: 1, stderr: '' })
  })

  test('a result that finds no room is a line, and 1', { ...options, skip: !existsSync(FULL) }, async (t) => {
    const args = [cliPath, 'bench', await echoServer(t), ...SHORT, '--json']
    const child = spawn(process.execPath, args, { stdio: ['ignore', openSync(FULL, 'w'), 'pipe'] })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    assert.equal(code, 1)
    assert.equal(said, "measuring\nmillrace: standard output can't be written (ENOSPC)\n")
  })
})

describe('a file that can not be written', { concurrency: 2 }, () => {
  const nowhere = join(tmpdir(), 'millrace-no-such-folder', 'report')
  for (const [args, help] of [
    [['bench', '--html', nowhere], 'bench'],
    [['bench', '--hgrm', tmpdir()], 'bench'],
    [['conform', '--json', nowhere], 'conform'],
    [['conform', '--junit', tmpdir()], 'conform'],
  ] as const) {
    test(`is refused before anybody is connected to: ${args.slice(0, 2).join(' ')}`, options, async () => {
      const [command, option, file] = args
      const { code, stdout, stderr } = await runCli(command, 'ws://127.0.0.1:1', option, file)
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
      assert.ok(stderr.startsWith(`millrace: ${option}: ${file} can't be written (`), stderr)
      assert.ok(stderr.endsWith(`); see millrace ${help} --help\n`) && stderr.trim().split('\n').length === 1, stderr)
    })
  }
})
