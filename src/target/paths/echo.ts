// `/` and `/echo`: every message comes back. It is what most of the load goes to, so nothing stands between the message
// and `send`.
import { route } from '../../server/options.js'
import { dashboardPage, plainPage } from '../page/page.js'
import type { TargetPath } from '../path.js'

const about = 'sends every message back as it came'
const client = 'gets back what it sent, in the same order'

export const echoPaths: readonly TargetPath[] = [
  {
    ...echoAt('/'),
    about: `${about}; to a browser, this is the page`,
    answer(_, response, { allows }) {
      const { text, headers } = allows.has('admin') ? dashboardPage : plainPage
      response.writeHead(200, headers).end(text)
    },
  },
  echoAt('/echo'),
]

function echoAt(path: string): TargetPath {
  return {
    path,
    about,
    example: path,
    client,
    parameters: {},
    route: ({ visits }) =>
      route({
        open: (connection) => visits.count(path, connection),
        close: (_, code, reason) => visits.ended(path, code, reason),
        message(connection, message) {
          connection.send(message)
        },
      }),
  }
}
