// `/close`, `/drop` and `/half-close`: the ways in which a connection may end.
import { LONGEST_CLOSE_REASON } from '../../protocol/closeCode.js'
import { closeCode, text } from '../parameters.js'
import { socketPath } from '../socketPath.js'
import { triggered, triggerParameters } from '../trigger.js'

export const endingPaths = [
  socketPath({
    path: '/close',
    about: 'sends Close with this code and reason, at once, after so many messages or after a time',
    example: '/close?code=1011&reason=out%20of%20order&after=3',
    client: 'answers with Close, and tells its user the code and the reason',
    parameters: {
      code: closeCode('the close code', 1000),
      reason: text('the reason', '', LONGEST_CLOSE_REASON),
      ...triggerParameters,
    },
    visit: (visit) => triggered(visit, () => visit.connection.close(visit.values.code, visit.values.reason)),
  }),
  socketPath({
    path: '/drop',
    about: 'ends the connection with a TCP reset, at once, after so many messages or after a time',
    example: '/drop?after=3',
    client: 'tells its user 1006, and connects again after a pause that grows',
    needs: 'faults',
    parameters: triggerParameters,
    spoil: (visit) => triggered(visit, () => visit.wire.reset()),
  }),
  socketPath({
    path: '/half-close',
    about: 'closes its half of the TCP connection without Close, at once, after so many messages or after a time',
    example: '/half-close?after=3',
    client: 'closes its own half, and tells its user 1006',
    needs: 'faults',
    pushes: true,
    parameters: triggerParameters,
    spoil: (visit) => triggered(visit, () => visit.wire.halfClose()),
  }),
]
