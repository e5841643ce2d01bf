// npm run bench -- client: what a client takes with millrace, as a share of what it takes with ws and undici.
import { fileURLToPath } from 'node:url'
import { openTarget } from '../ab/target.js'
import type { MeasuredServer } from '../support/measuredServer.js'
import { root } from '../support/publish.js'
import { chosenOf, measured, only, reached } from '../support/rows.js'
import { type Choice, type Found, pacing, type Suite } from '../support/suite.js'
import { roundedTo } from '../support/table.js'
import { Program } from '../support/talk.js'
import { ENGINES, type Engine, environmentOf } from './engines.js'
import type { Opening } from './program.js'
import { type Pace, type Row, rows } from './rows.js'

const CLIENT_CORE = 1
const ROUNDS = 9
const PROGRAM = fileURLToPath(new URL('./program.js', import.meta.url))

/** The least figure of each engine. */
interface Compared extends Pick<Row, 'name' | 'unit' | 'goal'> {
  readonly least: Readonly<Record<Engine, number>>
  /** What millrace is of ws without bufferutil. */
  readonly ratio: number
  readonly rounds: readonly (readonly number[])[]
}

export const suite: Suite = {
  about: `Each client in a process of its own, by turns, against one millrace server in another process. A figure is the least of
all rounds: CPU time of the client's process per message, there and back, or memory. Ratios are those to ws without
bufferutil. Exits with 1 if one is above its goal. A process is measured when it is warm: the first thousand messages of 64 KiB take ws
twice of what later ones take. \`bare\` is a socket of node:net that writes each frame alone, made beforehand, and counts bytes.
The rows: ${rows.map(({ name }) => name).join('; ')}.`,
  options: {
    only,
    ...pacing(ROUNDS, 0.3),
  },
  run,
}

async function run(choice: Choice): Promise<Found> {
  const pace = paceOf(choice)
  const chosen = chosenOf(choice, rows)
  const server = await openTarget(root, 'echo')
  try {
    const found = await measured(chosen, { head: HEAD, lineOf }, (row) => compare(row, server, pace))
    return { figures: { pace, rows: found }, ok: reached(choice, found) }
  } finally {
    await server.stop()
  }
}

function paceOf(choice: Choice): Pace {
  if (choice.quick) return { rounds: 1, seconds: 0.1, warmup: 0.05, warm: false, connections: 50 }
  return {
    rounds: choice.number('rounds'),
    seconds: choice.number('seconds'),
    warmup: 0.15,
    warm: true,
    connections: 3000,
  }
}

/** Measures all engines by turns; each round begins with another one. */
async function compare(row: Row, { url }: MeasuredServer, pace: Pace): Promise<Compared> {
  const open = (engine: Engine): Promise<Program> => openClient(engine, url, row)
  const kept = row.fresh ? [] : await Promise.all(ENGINES.map(open))
  const rounds: number[][] = []
  try {
    for (let round = 0; round < pace.rounds; round++) {
      const figures: number[] = []
      for (const [turn] of ENGINES.entries()) {
        const at = (turn + round) % ENGINES.length
        const client = kept[at] ?? (await open(ENGINES[at] ?? 'ws'))
        figures[at] = await row.round(client, url, pace)
        if (row.fresh) await client.stop()
      }
      rounds.push(figures)
    }
  } finally {
    await Promise.all(kept.map((client) => client.stop()))
  }
  return { name: row.name, unit: row.unit, goal: row.goal, ...leastOf(rounds), rounds }
}

async function openClient(engine: Engine, url: string, { connections, fresh }: Row): Promise<Program> {
  const program = new Program(CLIENT_CORE, PROGRAM, [engine], {
    // What connections hold is to be measured, and not the room for what is thrown away.
    flags: fresh ? ['--expose-gc', '--max-semi-space-size=1'] : [],
    environment: environmentOf(engine),
  })
  try {
    await program.ask('open', { url, connections } satisfies Opening)
    return program
  } catch (error) {
    await program.stop()
    throw error
  }
}

function leastOf(rounds: readonly (readonly number[])[]): Pick<Compared, 'least' | 'ratio'> {
  const figures = ENGINES.map((engine, at) => [engine, Math.min(...rounds.map((round) => round[at] ?? Infinity))])
  const least: Record<Engine, number> = Object.fromEntries(figures)
  return { least, ratio: least.millrace / least.ws }
}

const HEAD = ['', '', ...ENGINES, 'ratio', 'asked', 'verdict']

function lineOf({ name, unit, least, ratio, goal }: Compared): string[] {
  const figures = ENGINES.map((engine) => roundedTo(least[engine], 3, 2))
  return [name, unit, ...figures, ratio.toFixed(3), `≤ ${goal}`, ratio <= goal ? 'ok' : 'MORE']
}
