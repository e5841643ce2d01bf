// `/healthz` and `/readyz`: what an orchestrator and a load balancer ask. They answer on every target, whoever asks.
import { say } from '../httpAnswer.js'
import type { TargetPath } from '../path.js'

const NOT_KEPT = { 'Cache-Control': 'no-store' }

export const healthPaths: readonly TargetPath[] = [
  {
    path: '/healthz',
    about: 'answers 200 as long as the process works (plain HTTP)',
    example: '/healthz',
    client: 'restarts the process if no answer comes',
    parameters: {},
    answer: (_, response) => say(response, 200, 'ok\n', NOT_KEPT),
  },
  {
    path: '/readyz',
    about: 'answers 200 while new connections are welcome, and 503 as soon as draining begins (plain HTTP)',
    example: '/readyz',
    client: 'sends new connections elsewhere after a 503',
    parameters: {},
    async answer(_, response, { draining, server }) {
      const processes = await server.statistics()
      const ready = !draining && processes.some(({ state }) => state === 'listening')
      say(response, ready ? 200 : 503, ready ? 'ready\n' : 'draining\n', NOT_KEPT)
    },
  },
]
