// Measures a row for both checkouts, each with two servers, by turns: what A's two servers differ by is the noise.
import type { LoadClient } from '../support/loadClient.js'
import type { MeasuredServer } from '../support/measuredServer.js'
import type { Pace, Row } from './rows.js'
import { openTarget } from './target.js'

/** A figure for each of A, A', B and B'. */
export type Four = readonly [a: number, a2: number, b: number, b2: number]

export interface Compared {
  readonly name: string
  readonly unit: Row['unit']
  /** The least figure of each server, and those of all rounds. */
  readonly least: Four
  readonly rounds: readonly Four[]
  /** How much more B takes than A, and how far A' lies from A: 0.03 is 3 %. */
  readonly change: number
  readonly spread: number
  readonly ok: boolean
}

/** A change of so much is accepted however little A' differs from A. */
export const TOLERANCE = 0.03
export type RowVerdict = Pick<Compared, 'change' | 'spread' | 'ok'>

/** The verdict on four least figures. */
export function judge([a, a2, b, b2]: Four): RowVerdict {
  const change = excess(Math.min(b, b2), Math.min(a, a2))
  const spread = excess(Math.max(a, a2), Math.min(a, a2))
  return { change, spread, ok: change <= Math.max(TOLERANCE, spread) }
}

/** How much more it is, as a share of what it is compared with. Two figures of nothing are alike. */
function excess(figure: number, than: number): number {
  return figure === than ? 0 : figure / than - 1
}

/** Throws an Error if a server or the load fails. */
export async function compare(row: Row, a: string, b: string, client: LoadClient, pace: Pace): Promise<Compared> {
  const rounds: Four[] = []
  const inEach = Math.ceil(pace.rounds / pace.generations)
  while (rounds.length < pace.rounds) {
    const places = [a, a, b, b].map((checkout) => new Place(checkout, row, client, pace))
    try {
      for (const place of places) await place.open()
      for (let warm = 0; warm < pace.warming && !row.fresh; warm++) await roundOf(places, warm)
      const left = Math.min(inEach, pace.rounds - rounds.length)
      for (let round = 0; round < left; round++) rounds.push(await roundOf(places, rounds.length))
    } finally {
      await Promise.all(places.map((place) => place.close()))
    }
  }
  const least = fourOf([0, 1, 2, 3].map((place) => Math.min(...rounds.map((four) => four[place] ?? Infinity))))
  const { name, unit } = row
  return { name, unit, least, rounds, ...judge(least) }
}

/** One round of each; another one begins each time, so that none always comes after the same one. */
async function roundOf(places: readonly Place[], round: number): Promise<Four> {
  const figures = [0, 0, 0, 0]
  for (let turn = 0; turn < 4; turn++) {
    const place = (turn + round) % 4
    figures[place] = (await places[place]?.measure()) ?? 0
  }
  return fourOf(figures)
}

/** One of A, A', B and B': a server that stays up, or one for each round, where nobody must have used it. */
class Place {
  readonly #open: () => Promise<MeasuredServer>
  readonly #round: (server: MeasuredServer) => Promise<number>
  readonly #fresh: boolean
  #running: MeasuredServer | undefined

  constructor(checkout: string, row: Row, client: LoadClient, pace: Pace) {
    this.#open = () => openTarget(checkout, row.mode)
    this.#round = (server) => row.round(server, client, pace)
    this.#fresh = row.fresh
  }

  async open(): Promise<void> {
    if (!this.#fresh) this.#running = await this.#open()
  }

  async measure(): Promise<number> {
    const server = this.#running ?? (await this.#open())
    try {
      return await this.#round(server)
    } finally {
      if (this.#fresh) await server.stop()
    }
  }

  async close(): Promise<void> {
    await this.#running?.stop()
  }
}

function fourOf([a = 0, a2 = 0, b = 0, b2 = 0]: readonly number[]): Four {
  return [a, a2, b, b2]
}
