// Runs the rows that were chosen, with the peers that can run here: what the suites `peers` and `table` have in common.
import { checkJoined } from '../support/joined.js'
import { congestionControl } from '../support/machine.js'
import { availablePeers, type PeerName, variants, versionOf } from '../support/peers.js'
import { type Choice, type Circumstances, type Options, type Pace, paceOf } from '../support/suite.js'
import type { Results, Row } from './results.js'
import { Rounds, type RoundsOf } from './rounds.js'
import type { Workload } from './workloads.js'

export const choosing: Options = {
  only: { type: 'string', value: 'PATTERN', help: 'only rows whose id matches this regular expression' },
  peers: { type: 'string', value: 'NAMES', help: 'only these servers, separated by commas' },
  node: { type: 'string', value: 'PATH', help: 'the Node.js that runs the servers. Default: the one that runs this' },
}

const names: readonly PeerName[] = [
  'floor',
  'bare handle',
  'millrace',
  'public API',
  'uWebSockets.js',
  'uWS dedicated',
  'Bun',
  'ws',
]

/** How many rounds a peer gets in a row, where that is not always the same. */
export type Plan = (workload: Workload, pace: Pace) => RoundsOf

export async function compared(
  choice: Choice,
  about: Circumstances,
  rows: readonly Workload[],
  plan: Plan = (_, pace) => () => pace.rounds,
): Promise<{ results: Results; ok: boolean }> {
  const node = choice.text('node') || process.execPath
  const wanted = choice.names('peers', names)
  const pace = paceOf(choice, 0.25)
  const chosen = rows.filter(({ id }) => new RegExp(choice.text('only')).test(id))
  if (!choice.quick && wanted.includes('millrace') && chosen.some(({ group }) => group === 'import')) checkJoined()
  const versions: Record<string, string> = { node: versionOf(node).replace(/^v/, '') }
  const control = congestionControl()
  if (control !== undefined) versions['TCP'] = control
  const missing: Partial<Record<PeerName, string>> = {}
  const peers = availablePeers(
    names.filter((name) => wanted.includes(name)),
    (name, why) => Object.assign(missing, { [name]: why }),
    node,
    (name, version) => Object.assign(versions, variants.includes(name) ? {} : { [name]: version }),
  )
  const rounds = new Rounds(peers, pace)
  const found: Row[] = []
  try {
    for (const [index, workload] of chosen.entries()) {
      const tell = (round: number, peer: PeerName): void =>
        progress(
          `[${index + 1}/${chosen.length}] ${workload.title}, round ${round + 1} of ${pace.rounds}: ${peer}`,
          round === 0 && peer === 'millrace',
        )
      const row = choice.quick ? shrink(workload) : workload
      found.push(await rounds.measure(row, tell, plan(workload, pace)))
    }
  } finally {
    await rounds.stop()
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
  const ok = found.every(({ servers }) => Object.values(servers).every(({ problem }) => problem === undefined))
  return { results: { ...about, versions, missing, rows: found }, ok }
}

/** The quick run proves that everything works; its figures say nothing. */
function shrink(workload: Workload): Workload {
  const connections = Math.min(workload.connections ?? workload.load?.connections ?? 1, 50)
  const { load } = workload
  return { ...workload, connections, ...(load && { load: { ...load, connections, verify: true } }) }
}

/** Where nobody looks at it now, a line for each row is enough. */
function progress(line: string, isFirst: boolean): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
  else if (isFirst) process.stderr.write(`${line}\n`)
}
