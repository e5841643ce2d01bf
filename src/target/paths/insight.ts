// `/metrics` and `/dashboard/live`: what tells of the server itself. Both answer only where the operator allows it, and to
// nobody whom a foreign page has sent here.
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { prometheus } from '../../metrics/prometheus.js'
import { route } from '../../server/options.js'
import { say } from '../httpAnswer.js'
import { isLoopback } from '../loopback.js'
import type { TargetPath } from '../path.js'
import type { TargetContext } from '../targetContext.js'
import { Viewers } from '../viewers.js'

/** Bytes of the longest message that a dashboard sends: the time, as text. */
const PROBE = 64

const FOREIGN =
  'a browser on this machine has asked for this by another name: use localhost or an address, as a proxy must, too\n'

/**
 * Whether a browser on this machine names a host that is not this one: a page of anywhere may have its own name point
 * here, and would be of the same origin then.
 */
export function isForeign(remoteAddress: string | undefined, host: string | undefined): boolean {
  if (host === undefined || remoteAddress === undefined) return false
  if (!isLoopback({ host: remoteAddress.replace(/^::ffff:/, '') })) return false
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  return isIP(name) === 0 && !/^(?:.+\.)?localhost\.?$/.test(name)
}

/** The host that a request names; over HTTP/2, it is the authority. */
function hostOf({ headers }: IncomingMessage): string | undefined {
  const authority = headers[':authority']
  return headers.host ?? (typeof authority === 'string' ? authority : undefined)
}

const exporters = new WeakMap<TargetContext, ReturnType<typeof prometheus>>()

function exporterOf(context: TargetContext): ReturnType<typeof prometheus> {
  const known = exporters.get(context) ?? prometheus(context.server)
  exporters.set(context, known)
  return known
}

export const insightPaths: readonly TargetPath[] = [
  {
    path: '/metrics',
    about: "tells what the server has counted, in Prometheus' format (plain HTTP)",
    example: '/metrics',
    client: 'asks every few seconds, of whichever process answers',
    parameters: {},
    needs: 'admin',
    async answer(request, response, context) {
      if (isForeign(request.socket.remoteAddress, hostOf(request))) return say(response, 403, FOREIGN)
      try {
        await exporterOf(context).handle(request, response)
      } catch (error) {
        if (Object(error).code !== 'ERR_PACKAGE_MISSING') throw error
        say(response, 501, `${Object(error).message}\n`)
      }
    },
  },
  {
    path: '/dashboard/live',
    about: 'tells the dashboard of the page what the server has counted, once a second, and sends back what it gets',
    example: '/dashboard/live',
    client: 'reads JSON texts, which begin with a brace, and drops what it does not know',
    parameters: {},
    needs: 'admin',
    route(context) {
      const viewers = new Viewers(() => context.server)
      return route({
        origins: ['self'],
        maxMessage: PROBE,
        outputPolicy: 'drop',
        upgrade({ remoteAddress, headers }) {
          if (isForeign(remoteAddress, headers['host'])) return { status: 403, body: FOREIGN }
          return viewers.full ? { status: 503, body: 'too many watch this target already\n' } : undefined
        },
        open(connection) {
          context.visits.count('/dashboard/live', connection)
          viewers.add(connection)
        },
        message: (connection, message) => void connection.send(message),
        close(connection, code, reason) {
          context.visits.ended('/dashboard/live', code, reason)
          viewers.delete(connection)
        },
      })
    },
  },
]
