// Debian's python3-websockets for the tests, where a machine has it.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

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

/** Runs a program, and returns what it prints; rejects with what it complains about. */
export function runPython(program: string, parameters: readonly string[], timeout = 60_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', program, ...parameters], { timeout, stdio: ['ignore', 'pipe', 'pipe'] })
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
