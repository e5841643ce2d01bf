// `/deflate`: every message is compressed, for clients that offer it, whatever the target does elsewhere.
import { socketPath } from '../socketPath.js'

export const deflatePath = socketPath({
  path: '/deflate',
  about: 'echoes, and compresses every message, however short, for clients that offer permessage-deflate',
  example: '/deflate',
  client: 'offers the extension, inflates what has RSV1, and keeps the window from message to message',
  parameters: {},
  settings: { deflate: { threshold: 0 } },
  visit: ({ connection }) => ({ message: (message) => connection.send(message) }),
})
