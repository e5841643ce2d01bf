// The command as a person and a supervisor meet it: a process with an output, signals and an exit code.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { accessSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { assertSame, binary } from '../clients/payloads.js'
import { WsClient } from '../clients/wsClient.js'
import { effort } from '../support/effort.js'
import { CliProcess, cliPath, runCli } from './cliProcess.js'

const options = { timeout: 30_000 }
const manifest: { version: string; bin: { millrace: string } } = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
)

describe('millrace', { concurrency: 2 }, () => {
  test('one line says where it listens and what it does', options, async (t) => {
    const cli = await CliProcess.start()
    t.after(() => cli.close())
    const line =
      /^millrace listens on (http:\/\/127\.0\.0\.1:\d+) and echoes (ws:\/\/127\.0\.0\.1:\d+) \(GET \/paths lists what else\)\n$/
    const [, page = '', url = ''] = line.exec(cli.stdout) ?? []
    assert.match(await (await fetch(page)).text(), /^<!doctype html>/)
    for (const path of ['', '/', '/echo?what=ever']) {
      const client = await WsClient.open(url + path)
      client.socket.send(binary(70_000))
      assertSame(await client.messages.next(), binary(70_000))
      await client.close(1000)
    }
    assert.equal(cli.stderr, '')
  })

  test('limits given as options hold', options, async (t) => {
    const cli = await CliProcess.start(['--max-message', '1k', '--handshake-timeout', '300ms'])
    t.after(() => cli.close())
    const client = await WsClient.open(cli.url)
    client.socket.send(binary(1024))
    assertSame(await client.messages.next(), binary(1024))
    client.socket.send(binary(1025))
    assert.equal((await client.ended).code, 1009)
    const silent = await dial(cli.url)
    const began = performance.now()
    await new Promise((resolve) => silent.on('close', resolve).resume())
    assert.ok(performance.now() - began < 3000)
  })

  test('messages are compressed with --deflate, and without it they are not', options, async (t) => {
    for (const [args, extension] of [
      [['--deflate'], 'permessage-deflate'],
      [[], ''],
    ] as const) {
      const cli = await CliProcess.start([...args])
      t.after(() => cli.close())
      const socket = new WebSocket(cli.url, { perMessageDeflate: true })
      await once(socket, 'open')
      assert.equal(socket.extensions, extension)
      const text = 'compressed both ways '.repeat(100)
      socket.send(text)
      const [data] = await once(socket, 'message')
      assert.equal(String(data), text)
      socket.terminate()
    }
  })

  for (const [host, shown] of [
    ['0.0.0.0', /http:\/\/127\.0\.0\.1:\d+ .*ws:\/\/127\.0\.0\.1:\d+ /],
    ['::1', /http:\/\/\[::1\]:\d+ .*ws:\/\/\[::1\]:\d+ /],
  ] as const) {
    test(`the address for --host ${host} is one to click on`, options, async (t) => {
      const cli = new CliProcess(['--port', '0', '--host', host])
      t.after(() => cli.close())
      while (cli.stdout === '' && cli.stderr === '') await sleep(10)
      if (cli.stderr.includes('no such address')) t.skip(`this machine has no ${host}`)
      else assert.match(cli.stdout, shown)
    })
  }

  for (const signal of effort({ quick: ['SIGTERM'], full: ['SIGINT', 'SIGTERM'] } as const)) {
    test(`${signal} says 1001 to its clients and exits with 0`, options, async (t) => {
      const cli = await CliProcess.start()
      t.after(() => cli.close())
      const clients = await Promise.all([WsClient.open(cli.url), WsClient.open(cli.url)])
      cli.kill(signal)
      for (const client of clients) assert.deepEqual(await client.ended, { code: 1001, reason: '' })
      const { code, signal: killed, stderr } = await cli.outcome
      assert.deepEqual({ code, killed, stderr }, { code: 0, killed: null, stderr: 'millrace: closing 2 connections\n' })
    })
  }

  test('without connections it ends at once, and says nothing more', options, async (t) => {
    const cli = await CliProcess.start()
    t.after(() => cli.close())
    const lines = cli.stdout
    cli.kill('SIGTERM')
    assert.deepEqual(await cli.outcome, { code: 0, signal: null, stdout: lines, stderr: '' })
  })

  const codes = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const
  for (const [signal, code] of codes.slice(0, effort({ quick: 1, full: 2 }))) {
    test(`a second signal, ${signal}, ends it at once with ${code}`, options, async (t) => {
      const cli = await CliProcess.start()
      t.after(() => cli.close())
      const silent = await upgrade(cli.url)
      cli.kill('SIGTERM')
      await sleep(600)
      assert.equal(cli.child.exitCode, null)
      cli.kill(signal)
      assert.equal((await cli.outcome).code, code)
      silent.destroy()
    })
  }

  test('the same press of Ctrl+C through npm is not a second one; who never answers is ended', options, async (t) => {
    const cli = await CliProcess.start(['--close-timeout', '700ms'])
    t.after(() => cli.close())
    const silent = await upgrade(cli.url)
    cli.kill('SIGINT')
    await sleep(50)
    cli.kill('SIGINT')
    const { code, stderr } = await cli.outcome
    assert.deepEqual({ code, stderr }, { code: 0, stderr: 'millrace: closing 1 connection\n' })
    silent.destroy()
  })

  test('a taken port is one line, and 1', options, async (t) => {
    const holder = createServer().listen(0, '127.0.0.1')
    t.after(() => holder.close())
    await new Promise((resolve) => holder.once('listening', resolve))
    const address = holder.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    assert.deepEqual(await runCli('--port', String(port)), {
      code: 1,
      signal: null,
      stdout: '',
      stderr: `millrace: port ${port} is taken on 127.0.0.1: choose another with --port, or 0 for any\n`,
    })
  })

  for (const args of [['--prot', '1'], ['--max-message', 'lots'], ['--host', '192.0.2.1'], ['bench']]) {
    test(`${args.join(' ')} is one line, and 1`, options, async () => {
      const { code, stdout, stderr } = await runCli(...args)
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' })
      assert.match(stderr, /^millrace: [^\n]+\n$/)
    })
  }

  test('limits too large for any machine still start, or are one line and 1', options, async (t) => {
    const limits = ['--max-message', '8000TiB', '--payload-memory', '8000TiB', '--close-timeout', '2000000h']
    const cli = new CliProcess(['--port', '0', ...limits])
    t.after(() => cli.close())
    while (cli.stdout === '' && cli.stderr === '') await sleep(10)
    if (cli.stdout === '') assert.match(cli.stderr, /^millrace: [^\n]+\n$/)
    else assert.equal((await WsClient.open(/ws:\S+/.exec(cli.stdout)?.[0] ?? '')).socket.readyState, 1)
  })

  test('--help and --version', options, async () => {
    const help = await runCli('--help')
    assert.deepEqual([help.code, help.stderr], [0, ''])
    assert.match(help.stdout, /--max-message +16MiB /)
    const version = await runCli('--version')
    assert.deepEqual([version.code, version.stdout], [0, `${manifest.version}\n`])
  })

  test('it is what package.json says the command is', () => {
    accessSync(new URL(`../../../${manifest.bin.millrace}`, import.meta.url))
    assert.match(readFileSync(cliPath, 'utf8'), /^#!\/usr\/bin\/env node\n/)
  })
})

function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket)).on('error', reject)
  })
}

/** A peer that completes the opening handshake, and never says anything again. */
async function upgrade(url: string): Promise<Socket> {
  const socket = await dial(url)
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  await new Promise((resolve) => socket.once('data', resolve))
  return socket
}
