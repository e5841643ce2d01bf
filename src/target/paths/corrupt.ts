// `/corrupt`: breaks the protocol on purpose, in the way that is asked for.
import { type Corruption, corruptionNames, corruptions } from '../corruption.js'
import { choice } from '../parameters.js'
import { socketPath } from '../socketPath.js'
import { triggered, triggerParameters } from '../trigger.js'

export const corruptPath = socketPath({
  path: '/corrupt',
  about: 'sends bytes that break RFC 6455, at once, after so many messages or after a time',
  example: '/corrupt?kind=mask&after=1',
  client: 'fails the connection with the close code that the guide names for the kind, and delivers nothing of it',
  needs: 'corrupt',
  settings: { deflate: true },
  parameters: { kind: choice('what is wrong', 'mask', corruptionNames), ...triggerParameters },
  spoil: (visit) =>
    triggered(visit, () => {
      const { bytes, ends = false }: Corruption = corruptions[visit.values.kind]
      visit.wire.raw(bytes)
      if (ends) visit.wire.halfClose()
    }),
})
