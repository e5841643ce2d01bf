// From which length on is work on a message worth a thread, and how should the pool be set? The defaults of the option
// `large` come from here.
import { availableParallelism } from 'node:os'
import type { Pace } from '../support/suite.js'
import { rounded } from '../support/table.js'
import { type Cost, LargeServers, type Material } from './largeServers.js'
import { KIB, MIB, type Section } from './section.js'
import { type Work, works } from './work.js'
import type { Setting } from './workServer.js'

const SIZES = [32 * KIB + 1, 64 * KIB, 128 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB]

/** One size of one kind of work, done in both places. */
export interface Point {
  readonly work: Work
  readonly size: number
  readonly inline: Cost
  readonly pool: Cost
}

export function labelOf(size: number): string {
  return size < MIB ? `${Math.floor(size / KIB)} KiB` : `${size / MIB} MiB`
}

/** Inline against pool, one message in flight; server and clients have a core each. */
export async function crossover(pace: Pace): Promise<Section & { readonly raw: readonly Point[] }> {
  const servers = new LargeServers(pace, true)
  const points: Point[] = []
  try {
    for (const size of pace.quick ? [32 * KIB + 1, 64 * KIB] : SIZES) {
      const places = works.flatMap((work): Setting[] => [
        { work, where: 'inline' },
        { work, where: 'pool' },
      ])
      const costs = await servers.measure(places, { size, connections: 1 })
      for (const [index, work] of works.entries()) {
        const [inline, pool] = costs.slice(2 * index)
        if (inline !== undefined && pool !== undefined) points.push({ work, size, inline, pool })
      }
    }
  } finally {
    await servers.stop()
  }
  const sorted = works.flatMap((work) => points.filter((point) => point.work === work))
  return {
    id: 'crossover',
    title: 'Inline against pool (µs): main thread per message, time to the answer, p99 of a small echo beside',
    note: `One connection, one message in flight. ${works.map((work) => crossing(work, sorted)).join('; ')}.`,
    head: ['', '', ...['main thread', 'answer', 'p99 beside'].flatMap((what) => [`${what}, inline`, 'pool'])],
    rows: sorted.map(({ work, size, inline, pool }) => {
      const pairs = [inline.mainThread, pool.mainThread, inline.answer, pool.answer, inline.beside, pool.beside]
      return [work, labelOf(size), ...pairs.map(rounded)]
    }),
    goals: [],
    raw: points,
  }
}

/** From which size on the pool takes less of the main thread than the work itself. */
function crossing(work: Work, points: readonly Point[]): string {
  const ours = points.filter((point) => point.work === work)
  const last = ours.findLastIndex(({ inline, pool }) => pool.mainThread >= inline.mainThread)
  const first = ours[last + 1]
  return `${work} is cheaper for the main thread in the pool ${first === undefined ? 'never' : `from ${labelOf(first.size)}`}`
}

interface Trial {
  readonly setting: Setting
  readonly material: Material
}

/** The pool's own settings: how threads wait, and how many there are. */
export async function poolSettings(pace: Pace): Promise<Section> {
  const servers = new LargeServers(pace, false)
  const found: (Trial & { readonly cost: Cost })[] = []
  try {
    for (const { settings, material } of trials(pace.quick)) {
      const costs = await servers.measure(settings, material)
      for (const [index, setting] of settings.entries()) {
        const cost = costs[index]
        if (cost !== undefined) found.push({ setting, material, cost })
      }
    }
  } finally {
    await servers.stop()
  }
  return {
    id: 'settings',
    title: 'The settings of the pool: JSON.parse, by `atomics`, threads and connections (µs)',
    note: 'The server may use every core, one of which the clients share.',
    head: ['', '', 'atomics', 'threads', 'main thread', 'all threads', 'messages/s', 'answer', 'p99 beside'],
    rows: found.map(({ setting, material, cost }) => [
      labelOf(material.size),
      `${material.connections} connections`,
      setting.where === 'inline' ? 'inline' : (setting.atomics ?? ''),
      setting.where === 'inline' ? '–' : String(setting.threads),
      ...[cost.mainThread, cost.cpu, cost.rate, cost.answer, cost.beside].map(rounded),
    ]),
    goals: [],
    raw: found,
  }
}

function* trials(quick: boolean): Generator<{ settings: Setting[]; material: Material }> {
  const work = 'JSON.parse'
  const inline: Setting = { work, where: 'inline' }
  const ways = ['disabled', 'async', 'sync'] as const
  const waiting = ways.map((atomics): Setting => ({ work, where: 'pool', atomics, threads: 2 }))
  for (const size of quick ? [64 * KIB] : [64 * KIB, MIB]) {
    for (const connections of [1, 8]) yield { settings: [inline, ...waiting], material: { size, connections } }
  }
  const processors = availableParallelism()
  const counts = [...new Set([1, processors, 2 * processors])]
  const settings = counts.map((threads): Setting => ({ work, where: 'pool', atomics: 'disabled', threads }))
  yield { settings, material: { size: quick ? 64 * KIB : 4 * MIB, connections: 8 } }
}
