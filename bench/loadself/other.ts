// Another load generator, whose figures are compared: a program that is called with HOST PORT CONNECTIONS SIZE PIPELINE SECONDS
// WARMUP KIND PATH RATE, and ends with a line of JSON that has `p99_us`.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { LoadOptions } from '../../src/load/load.js'
import { pinned } from '../support/process.js'

const CLIENT_CORE = 1

export async function otherP99(program: string, url: string, load: Omit<LoadOptions, 'url'>): Promise<number> {
  const { hostname, port, pathname } = new URL(url)
  const { connections, size, pipeline, duration, warmup, kind, rate } = load
  const args = [hostname, port, connections, size, pipeline, duration, warmup, kind, pathname, rate].map(String)
  const [command, ...rest] = pinned(CLIENT_CORE, [program, ...args])
  const { stdout } = await promisify(execFile)(command, rest)
  const figures: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  const { p99_us: p99 = Number.NaN } = Object(figures)
  return Number(p99)
}
