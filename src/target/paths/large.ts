// `/digest` and `/json`: work that takes long for a long message. Messages of 64 KiB and more are worked on in a pool of
// threads, so that other connections are served meanwhile.
import { digest } from '../large/digest.js'
import { summarize } from '../large/jsonSummary.js'
import { socketPath } from '../socketPath.js'

export const largePaths = [
  socketPath({
    path: '/digest',
    about: 'answers each message with its SHA-256; messages of 64 KiB and more are worked on in a pool of threads',
    example: '/digest',
    client: 'compares the digest with its own, and sees that other connections do not wait',
    parameters: {},
    settings: { large: { module: new URL('../large/digestModule.js', import.meta.url), ordered: true } },
    visit: ({ connection }) => ({ message: (message) => connection.send(digest(message)) }),
  }),
  socketPath({
    path: '/json',
    about:
      'answers each JSON text with a summary of it; messages of 64 KiB and more are worked on in a pool of threads',
    example: '/json',
    client: 'sends JSON; whatever is none ends with 1007',
    parameters: {},
    settings: { large: { module: new URL('../large/jsonModule.js', import.meta.url), ordered: true } },
    visit: ({ connection }) => ({ message: (message) => connection.send(summarize(message)) }),
  }),
]
