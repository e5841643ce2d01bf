// `/sink`: counts what comes, and says so now and then.
import { count } from '../parameters.js'
import { socketPath } from '../socketPath.js'

export const sinkPath = socketPath({
  path: '/sink',
  about: 'counts messages and bytes, and sends the counts as JSON after every n-th message',
  example: '/sink?every=100',
  client: 'sends as fast as it likes, and gets {"messages":100,"bytes":...} for every 100 of its messages',
  parameters: { every: count('messages for each answer', 1000, 'count', 1) },
  visit({ connection, values: { every } }) {
    let [messages, bytes] = [0, 0]
    return {
      message(message) {
        messages++
        bytes += message.byteLength
        if (messages % every === 0) connection.send(JSON.stringify({ messages, bytes }))
      },
    }
  },
})
