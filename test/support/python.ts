// Debian's python3-websockets for the tests, where a machine has it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'

const debian = '/usr/bin/python3'
const python = process.env['PYTHON'] ?? (existsSync(debian) ? debian : 'python3')

/**
 * Why tests with python3-websockets can't run here; false if they can. In CI they always run, and fail without it: a
 * suite that is skipped for months looks green.
 */
export function pythonWebsocketsMissing(): string | false {
  if (process.env['CI'] === 'true') return false
  const { status } = spawnSync(python, ['-c', 'import websockets'], { timeout: 20_000, stdio: 'ignore' })
  return status === 0 ? false : `${python} has no websockets: apt-get install python3-websockets, or set PYTHON`
}

/**
 * Runs a program, which may read `input` to its end, and returns what it prints; rejects with what it complains about.
 * What is long is input: the system bounds the length of parameters.
 */
export function runPython(
  program: string,
  parameters: readonly string[],
  { timeout = 60_000, input = '' }: { readonly timeout?: number; readonly input?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', program, ...parameters], { timeout, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => undefined) // it may end without having read
    child.stdin.end(input)
    let output = ''
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk
    })
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (status === 0) resolve(output)
      else reject(new Error(`python ended with ${status ?? signal}: ${complaint}`))
    })
  })
}

/** It echoes, and closes where it is told to. It prints its port. */
const ECHO = `
import asyncio, websockets
async def serve(socket, path=None):
    try:
        async for message in socket:
            if message == 'close': await socket.close(4001, 'as you wish')
            else: await socket.send(message)
    except websockets.ConnectionClosed: pass
async def main():
    async with websockets.serve(serve, '127.0.0.1', 0, subprotocols=['chat'], max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
`

/** Starts an echo server of python3-websockets; it ends with the test. Resolves with its address. */
export async function pythonServer(t: TestContext): Promise<string> {
  const child = spawn(python, ['-c', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill())
  const [port] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'close').then(([status]) => Promise.reject(new Error(`python ended with ${status}`))),
  ])
  return `ws://127.0.0.1:${Number(String(port))}/`
}
