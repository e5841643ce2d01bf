// Messages that are longer than memory should be: hashed while they arrive, and sent while they are made; against a
// server of node:net that does the same with the bare bytes.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cpuTime, memory, pinned, type RunningServer } from '../support/process.js'
import { startServer } from '../support/serverProcess.js'
import type { Pace } from '../support/suite.js'
import { rounded } from '../support/table.js'
import { digestOf } from './pattern.js'
import { byTurns, GIB, leastOf, type Measured, MIB, megabytes, type Section } from './section.js'
import type { Transfer } from './streamClient.js'

type Direction = 'in' | 'out'

interface Subject {
  readonly name: string
  readonly program: string
  readonly protocol: 'ws' | 'plain'
}

interface Round {
  readonly seconds: number
  /** CPU seconds of the server. */
  readonly cpu: number
  /** Highest resident memory of the server's process, and what it was when it listened; bytes. */
  readonly peak: number
  readonly start: number
}

const SUBJECTS: readonly Subject[] = [
  { name: 'millrace', program: 'streamServer.js', protocol: 'ws' },
  { name: 'node:net', program: 'plainServer.js', protocol: 'plain' },
]
const MEMORY = 120
const TIMEOUT = 300_000

const run = promisify(execFile)

export async function streamedIn(pace: Pace): Promise<Section> {
  const bytes = pace.quick ? 64 * MIB : 6 * GIB
  const found = await measured('in', bytes, digestOf(bytes), pace)
  const seconds = (name: string): number => leastOf(found, name, (round) => round.seconds)
  const section = sectionOf(
    'streamed-in',
    `A message of ${rounded(bytes / GIB)} GiB in one frame, hashed as it arrives`,
    'sha256 of node:crypto; the hashes are compared. node:net hashes the same bytes, without frames or masks.',
    found,
    bytes,
  )
  const rate = seconds('node:net') / seconds('millrace')
  return {
    ...section,
    goals: [...section.goals, { what: 'rate, millrace ÷ node:net', value: rate, limit: 0.5, least: true }],
  }
}

export async function streamedOut(pace: Pace): Promise<Section> {
  const bytes = pace.quick ? 64 * MIB : 6 * GIB
  const title = `A message of ${rounded(bytes / GIB)} GiB sent from an async iterable`
  const note = 'Chunks of 256 KiB; the receiver reads the frames and counts. node:net sends the same by `pipeline`.'
  return sectionOf('streamed-out', title, note, await measured('out', bytes, String(bytes), pace), bytes)
}

function measured(direction: Direction, bytes: number, expected: string, { rounds }: Pace): Promise<Measured<Round>[]> {
  return byTurns(SUBJECTS, Math.min(rounds, 3), (subject) => oneRound(subject, direction, bytes, expected))
}

/** A fresh server for each, because of its memory. Throws where the hash or the count is not as expected. */
async function oneRound({ program, protocol, name }: Subject, direction: Direction, bytes: number, expected: string) {
  const server = await startServer((port) => [process.execPath, here(program), String(port)])
  try {
    const start = memory(server.pid).now
    const before = cpuTime(server.pid)
    const { seconds, answer } = await transfer(server, protocol, direction, bytes)
    if (answer !== expected) throw new Error(`${name} answered ${answer} instead of ${expected}`)
    return { seconds, cpu: (cpuTime(server.pid) - before) / 1e6, peak: memory(server.pid).peak, start } satisfies Round
  } finally {
    await server.stop()
  }
}

async function transfer(
  { url }: RunningServer,
  protocol: string,
  direction: Direction,
  bytes: number,
): Promise<Transfer> {
  const client = [process.execPath, here('streamClient.js'), protocol, direction, url, String(bytes)]
  const [program, ...args] = pinned(1, client)
  const { stdout } = await run(program, args, { timeout: TIMEOUT })
  return JSON.parse(stdout)
}

function sectionOf(id: string, title: string, note: string, found: readonly Measured<Round>[], bytes: number): Section {
  const most = (rounds: readonly Round[], figure: (round: Round) => number): number => Math.max(...rounds.map(figure))
  const rows = found.map(({ name, rounds }) => {
    const seconds = leastOf(found, name, (round) => round.seconds)
    const cpu = leastOf(found, name, (round) => round.cpu)
    const grown = most(rounds, ({ peak, start }) => peak - start)
    const figures = [bytes / 1e6 / seconds, (cpu / bytes) * GIB]
    return [name, '', ...figures.map(rounded), megabytes(most(rounds, ({ peak }) => peak)), megabytes(grown)]
  })
  const peak = most(found[0]?.rounds ?? [], (round) => round.peak) / 1e6
  const head = ['', '', 'MB/s', 'CPU s a GiB', 'peak MB', 'of that, since it listened']
  const goals = [{ what: 'memory of the whole process in MB', value: peak, limit: MEMORY }]
  return { id, title, note, head, rows, goals, raw: found }
}

function here(program: string): string {
  return fileURLToPath(new URL(`./${program}`, import.meta.url))
}
