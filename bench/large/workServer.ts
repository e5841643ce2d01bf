// The crossover's server, in a process of its own: works on large messages inline or in the pool, and echoes small ones.
// usage: workServer PORT SETTING, a Setting as JSON

import type { LargeOptions } from '../../src/index.js'
import { createServer } from '../../src/index.js'
import { type Work, work } from './work.js'

export interface Setting extends Pick<LargeOptions, 'atomics' | 'threads'> {
  readonly work: Work
  readonly where: 'inline' | 'pool'
}

/** The pool's least; the other messages are far shorter. */
const THRESHOLD = 32_769

const [port, json = ''] = process.argv.slice(2)
const { work: kind, where, ...options }: Setting = JSON.parse(json)
const server = createServer({
  message(connection, message) {
    connection.send(message.byteLength < THRESHOLD ? message : work(kind, message))
  },
  ...(where === 'pool' && {
    large: {
      ...options,
      module: new URL('./work.js', import.meta.url),
      threshold: THRESHOLD,
      context: () => kind,
    },
  }),
})
await server.listen({ host: '127.0.0.1', port: Number(port) })
console.log('listening')
