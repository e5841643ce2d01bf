// `/source` and `/big`: messages that the target sends of its own.

import { Pacer } from '../pacer.js'
import { count, flag, size } from '../parameters.js'
import { payloadOf } from '../payload.js'
import { socketPath } from '../socketPath.js'

export const sourcePath = socketPath({
  path: '/source',
  about: 'sends numbered messages at a rate that is exact over time, or as fast as the client reads',
  example: '/source?size=1KiB&rate=100&count=1000&text',
  client: 'gets every message once and in order, and 1000 after the last one',
  needs: 'faults',
  pushes: true,
  settings: { pauseTimeout: 0, idleTimeout: 0 },
  parameters: {
    size: size('bytes of each message', 1024),
    rate: count('messages per second; as fast as the client reads if it is left out', undefined, 'rate', 1),
    count: count('messages before it closes; any number if it is left out', undefined, 'count', 1),
    text: flag('whether they are text'),
  },
  visit({ connection, values }) {
    const send = (number: number): boolean => {
      const payload = payloadOf(values.size, number)
      return connection.send(values.text ? payload.toString('latin1') : payload) === 'sent'
    }
    const pacer = new Pacer({ rate: values.rate, count: values.count, send, done: () => connection.close(1000) })
    return { drained: () => pacer.goOn(), left: () => pacer.end() }
  },
})

export const bigPath = socketPath({
  path: '/big',
  about: 'sends one message of this length in a single frame, and another one for each message that comes',
  example: '/big?size=1MiB',
  client: 'takes it whole, or closes with 1009 if it is longer than the client allows',
  needs: 'faults',
  pushes: true,
  parameters: { size: size('bytes of the message', 1024 * 1024), text: flag('whether it is text') },
  visit({ connection, values }) {
    let number = 0
    const send = (): void => {
      const payload = payloadOf(values.size, number++)
      connection.send(values.text ? payload.toString('latin1') : payload)
    }
    send()
    return { message: send }
  },
})
