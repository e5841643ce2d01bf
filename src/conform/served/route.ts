// The route on which clients are tested: each connection to it is one case, in which this side probes, or breaks a rule.
// The cases are loaded with the first request: a server that nobody comes to be tested by does without them.
import type { Connection } from '../../connection/connection.js'
import type { UpgradeRequest } from '../../protocol/upgradeRequest.js'
import { Route } from '../../server/options.js'
import type { Transport } from '../../transport/transport.js'
import type { Case } from '../case.js'
import type { Runs } from './runs.js'
import { Stage } from './stage.js'
import { TIMEOUT } from './timeout.js'

interface Data {
  readonly one: Case
  readonly run: string | null
  readonly runs: Runs
  stage: Stage | undefined
}

/** A route for a pattern with the parameters `section` and `number`. */
export function casesRoute(runs: () => Promise<Runs>): Route {
  return new Route(
    {
      deflate: false,
      idleTimeout: 0,
      pingInterval: 0,
      maxLifetime: 2 * TIMEOUT,
      upgrade: async (request: UpgradeRequest) => answerTo(request, await runs()),
      open: ({ data, request }: Connection<Data>) => void conduct(data, request),
    },
    { trusted: true, interposed: interpose },
  )
}

function answerTo(request: UpgradeRequest, runs: Runs): { status: number; body: string } | { data: Data } {
  const { section = '', number = '' } = request.params
  const id = `${section}/${number}`
  const one = runs.find(id)
  if (one === undefined)
    return { status: 404, body: `there is no case ${id.slice(0, 40)}: the list of cases has them all\n` }
  const run = request.query.get('run')
  return runs.refusal(run) ?? { data: { one, run, runs, stage: undefined } }
}

function interpose(transport: Transport, data: unknown): Transport {
  const stage = new Stage(transport)
  ;(data as Data).stage = stage
  return stage
}

/** What the server has let through keeps the first rules of section 4.1 already: it refuses everything else. */
async function conduct({ one, run, runs, stage }: Data, { headers }: UpgradeRequest): Promise<void> {
  if (stage !== undefined) await runs.conduct(one, run, { method: 'GET', httpVersion: '1.1', headers }, stage.stream)
}
