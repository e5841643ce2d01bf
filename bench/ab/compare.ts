// Measures a row for both checkouts, each with two servers, by turns: what A's two servers differ by is the noise.
import type { LoadClient } from '../support/loadClient.js'
import type { Pace, Row } from './rows.js'
import { Target } from './target.js'

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
  const servers = new ComparedServers(row, [a, a, b, b], client, pace)
  const inEach = Math.ceil(pace.rounds / pace.generations)
  while (rounds.length < pace.rounds) {
    try {
      await servers.open()
      for (let warm = 0; warm < pace.warming && !row.fresh; warm++) await servers.round(warm)
      const left = Math.min(inEach, pace.rounds - rounds.length)
      for (let round = 0; round < left; round++) rounds.push(await servers.round(rounds.length))
    } finally {
      await servers.close()
    }
  }
  const least = fourOf([0, 1, 2, 3].map((place) => Math.min(...rounds.map((four) => four[place] ?? Infinity))))
  const { name, unit } = row
  return { name, unit, least, rounds, ...judge(least) }
}

/** The servers of A, A', B and B'. */
class ComparedServers {
  readonly #row: Row
  readonly #checkouts: readonly string[]
  readonly #client: LoadClient
  readonly #pace: Pace
  /** Empty where every round has servers of its own. */
  readonly #running: Target[] = []

  constructor(row: Row, checkouts: readonly string[], client: LoadClient, pace: Pace) {
    this.#row = row
    this.#checkouts = checkouts
    this.#client = client
    this.#pace = pace
  }

  async open(): Promise<void> {
    if (this.#row.fresh) return
    for (const checkout of this.#checkouts) this.#running.push(await Target.open(checkout, this.#row.mode))
  }

  /** One round of each; another one begins each time, so that none always comes after the same one. */
  async round(round: number): Promise<Four> {
    const figures = [0, 0, 0, 0]
    for (let turn = 0; turn < 4; turn++) {
      const place = (turn + round) % 4
      figures[place] = await this.#measure(place)
    }
    return fourOf(figures)
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((server) => server.stop()))
  }

  async #measure(place: number): Promise<number> {
    const running = this.#running[place]
    if (running !== undefined) return this.#row.round(running, this.#client, this.#pace)
    const server = await Target.open(this.#checkouts[place] ?? '', this.#row.mode)
    try {
      return await this.#row.round(server, this.#client, this.#pace)
    } finally {
      await server.stop()
    }
  }
}

function fourOf([a = 0, a2 = 0, b = 0, b2 = 0]: readonly number[]): Four {
  return [a, a2, b, b2]
}
