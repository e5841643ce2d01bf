// `/conform`: tests the clients that connect to it, case by case, and says how each of them went. A browser that opens it
// tests itself.
import type { IncomingMessage } from 'node:http'
import { casesRoute } from '../../conform/served/route.js'
import type { Runs } from '../../conform/served/runs.js'
import { readTarget } from '../../protocol/requestTarget.js'
import { route } from '../../server/options.js'
import { say, sayJson } from '../httpAnswer.js'
import type { TargetPath } from '../path.js'
import type { TargetContext } from '../targetContext.js'

const BASE = '/conform'

/** The runs of each target. */
const runsOf = new WeakMap<TargetContext, Runs>()

/** The cases are loaded when somebody asks for them: they are many. */
async function runs(context: TargetContext): Promise<Runs> {
  const { Runs } = await import('../../conform/served/runs.js')
  const known = runsOf.get(context) ?? new Runs()
  runsOf.set(context, known)
  return known
}

const parameters = {}

const listing: TargetPath = {
  path: BASE,
  about:
    'tests the client: sends the list of its cases as JSON, and closes; to a browser, this is a page that runs them all',
  example: BASE,
  client: 'connects to the path of each case, and sends every message back until the connection ends',
  parameters,
  needs: 'faults',
  route: (context) =>
    route({
      async open(connection) {
        context.visits.count(BASE, connection)
        connection.send(JSON.stringify((await runs(context)).begin(BASE, only(connection.request.query))))
        connection.close(1000)
      },
      close: (_, code, reason) => context.visits.ended(BASE, code, reason),
    }),
  async answer(request, response, context) {
    if (!request.headers.accept?.includes('text/html'))
      return sayJson(response, (await runs(context)).begin(BASE, only(queryOf(request))))
    const { conformPage } = await import('../../conform/served/page.js')
    return response.writeHead(200, conformPage.headers).end(conformPage.body)
  },
}

const running: TargetPath = {
  path: `${BASE}/:section/:number`,
  about: 'runs one case against the client, probing it or breaking a rule',
  example: `${BASE}/5.5.2/1`,
  client: 'sends every message back, and fails the connection where the case breaks a rule',
  parameters,
  needs: 'faults',
  route: (context) => casesRoute(() => runs(context)),
}

const verdict: TargetPath = {
  path: `${BASE}/verdict`,
  about: 'says as JSON how the cases of a run went: ?run=NAME, and &strict for what is not strict, too',
  example: `${BASE}/verdict?run=mine`,
  client: 'asks for it after the last case',
  parameters,
  needs: 'faults',
  async answer(request, response, context) {
    const query = queryOf(request)
    const found = (await runs(context)).verdict(query.get('run') ?? '', query.has('strict'))
    if (found === undefined)
      return say(response, 404, 'There is no such run here: name the one that the list has given, as ?run=NAME\n')
    return sayJson(response, found)
  },
}

export const conformPaths: readonly TargetPath[] = [listing, running, verdict]

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URLSearchParams(readTarget(url).query)
}

/** `?only=5.5,8.1`: sections or numbers. */
function only(query: URLSearchParams): readonly string[] {
  return query.get('only')?.split(',') ?? []
}
