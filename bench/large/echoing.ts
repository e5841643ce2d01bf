// The rows of the comparison that are about large messages: what an echo of them costs, and how long a small one waits
// beside them.

import type { Row } from '../comparison/results.js'
import { Rounds } from '../comparison/rounds.js'
import { cells, head } from '../comparison/table.js'
import { workloads } from '../comparison/workloads.js'
import type { Pace } from '../support/suite.js'
import { peersFor, type Section } from './section.js'

/** The ids of these rows in `npm run bench`. */
const IDS = ['65536x1', '1048576x1', '16777216x1', 'latency-16MiB']

export async function echoing(pace: Pace): Promise<Section> {
  const measured = new Rounds(peersFor('floor', 'millrace', 'uWebSockets.js', 'ws', 'Bun'), pace)
  const rows: Row[] = []
  try {
    for (const workload of workloads) {
      if (IDS.includes(workload.id)) rows.push(await measured.measure(workload, () => undefined))
    }
  } finally {
    await measured.stop()
  }
  return {
    id: 'echoing',
    title: 'Echo of large messages (µs of server CPU per message; p99 of a small echo beside 16 MiB messages)',
    note: 'Rows of `npm run bench`: of the least disturbed round; below 1, millrace does less. * never had 90 % of its core to do.',
    head: head.toSpliced(1, 0, ''),
    rows: rows.map((row) => cells(row).toSpliced(1, 0, '')),
    goals: [],
    raw: rows,
  }
}
