// The lines that tell why the command could not start name what is wrong, and the option that mends it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { explain } from '../../src/command/explain.js'
import { options } from '../load/peers.js'
import { runCli } from './cliProcess.js'

describe('a place to listen on', { concurrency: 2 }, () => {
  test('that is taken is told with its own option', options, async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    for (const [args, option, hint] of [
      [['--port', `${port}`], '--port', ''],
      [['--port', '0', '--admin-port', `${port}`], '--admin-port', '; see millrace --help'],
    ] as const) {
      const { code, stderr } = await runCli(...args)
      const line = `millrace: port ${port} is taken on 127.0.0.1: choose another with ${option}, or 0 for any${hint}\n`
      assert.deepEqual({ code, stderr }, { code: 1, stderr: line })
    }
  })

  test('that is a Unix socket is told by its path', { ...options, skip: process.platform === 'win32' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
    const taken = join(folder, 'taken')
    const other = createServer().listen(taken)
    await once(other, 'listening')
    t.after(() => other.close(() => rmSync(folder, { recursive: true })))
    const missing = join(folder, 'missing', 'socket')
    for (const [path, said] of [
      [taken, `${taken} is there already: choose another with --path`],
      [missing, `${missing} can't be made: choose another with --path, in a folder where this user may write`],
    ] as const) {
      for (const more of [[], ['--acceptors', '1']]) {
        const { code, stderr } = await runCli('--path', path, ...more)
        assert.deepEqual({ code, stderr }, { code: 1, stderr: `millrace: ${said}\n` })
      }
    }
  })

  test('is not what is told of where a file can not be read', () => {
    const error = Object.assign(new Error("EACCES: permission denied, open 'key.pem'"), {
      code: 'EACCES',
      syscall: 'open',
      path: 'key.pem',
    })
    assert.equal(explain(error), "EACCES: permission denied, open 'key.pem'")
  })

  test('that only root may have is told with its option', () => {
    const error = Object.assign(new Error('x'), { code: 'EACCES', syscall: 'listen', address: '0.0.0.0', port: 80 })
    assert.equal(explain(error), 'this user may not listen on port 80: choose one from 1024 with --port')
  })
})
