// `/subprotocol`, `/reject/:status` and `/redirect`: answers to the opening handshake.
import { wholeNumber } from '../../checks/kinds.js'
import type { Rejection } from '../../server/options.js'
import { choice, count, matching, text } from '../parameters.js'
import { socketPath } from '../socketPath.js'

/**
 * A redirect never leads elsewhere: `//host` and `/\host` are other servers to a client, and so are `/.//host` and
 * `/a/..//host` to one that removes the dots first.
 */
const OWN_PATH = /^\/(?![^?#]*[/\\]{2})(?!\\|\/)[!-~]{0,1000}$/
const REDIRECTS = ['301', '302', '303', '307', '308'] as const

export const handshakePaths = [
  socketPath({
    path: '/subprotocol',
    about: 'agrees on a subprotocol that the client offers, tells its name, and echoes',
    example: '/subprotocol?choose=chat',
    client: 'offers subprotocols, and fails the handshake if it does not get one that it needs',
    parameters: { choose: text('the one to agree on; the first that is offered if it is empty, none for -', '', 100) },
    decide({ protocols }, { choose }) {
      if (choose === '-') return { protocol: '' }
      const [protocol = ''] = choose === '' ? protocols : [choose]
      if (protocol === '' || protocols.includes(protocol)) return { protocol }
      return refusal(400, `the parameter choose of /subprotocol must be one of those that the client offers`)
    },
    visit({ connection }) {
      connection.send(connection.protocol)
      return { message: (message) => connection.send(message) }
    },
  }),
  socketPath({
    path: '/reject/:status',
    about: 'refuses the opening handshake with this HTTP status',
    example: '/reject/403?body=not%20today',
    client: 'tells its user that the handshake failed, with the status if it can, and opens nothing',
    parameters: { body: text('the body of the answer', '', 1000) },
    decide({ params: { status = '' } }, { body }) {
      const code = /^\d{3}$/.test(status) ? Number(status) : 0
      if (code >= 300 && code <= 599) return refusal(code, body === '' ? `refused with ${code}, as asked` : body)
      return refusal(400, `the status of /reject/:status must be ${wholeNumber(300, 599).words}`)
    },
  }),
  socketPath({
    path: '/redirect',
    about: 'redirects the opening handshake to another path of this target, once or several times',
    example: '/redirect?to=/echo&status=307&times=2',
    client: 'follows if it follows redirects at all (browsers do not), and gives up after some',
    parameters: {
      to: matching('the path at the end', '/echo', 'a path of this target that begins with one slash', OWN_PATH),
      status: choice('the HTTP status', '307', REDIRECTS),
      times: count('redirects before that path', 1, 100, 1),
    },
    decide(_, { to, status, times }) {
      const more = `/redirect?${new URLSearchParams({ to, status, times: String(times - 1) })}`
      return { ...refusal(Number(status), `redirected to ${to}`), headers: { Location: times > 1 ? more : to } }
    },
  }),
]

function refusal(status: number, body: string): Rejection {
  return { status, body: `${body}\n` }
}
