// A program of node:cluster's: a primary with one worker that serves. Its argument is how connections are shared: rr, as
// by default, or none. It writes the ports of the worker, in plain, with TLS and by the public API, and ends with its input.
import cluster from 'node:cluster'
import { createServer } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'

if (cluster.isPrimary) {
  cluster.schedulingPolicy = process.argv[2] === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR
  const worker = cluster.fork()
  worker.on('message', (ports) => console.log(JSON.stringify(ports)))
  process.stdin.resume().on('end', () => process.exit(0))
} else {
  const servers = [createServer(), createServer({ publicApi: true })]
  await servers[0]?.listen({ host: '127.0.0.1' })
  await servers[0]?.listen({ host: '127.0.0.1', tls: { key, cert } })
  await servers[1]?.listen({ host: '127.0.0.1' })
  process.send?.(servers.flatMap(({ addresses }) => addresses.map((one) => (typeof one === 'string' ? 0 : one.port))))
  process.on('disconnect', () => process.exit(0))
}
