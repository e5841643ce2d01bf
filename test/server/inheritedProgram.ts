// Listens on descriptor 3, as a service that systemd starts; with acceptors, if an argument says how many. Says its
// addresses, one line, when it listens.
import cluster from 'node:cluster'
import { createServer } from '../../src/index.js'

const server = createServer({ request: (_, response) => response.end(String(process.pid)) })
const acceptors = Number(process.argv[2] ?? 0)
await server.listen(acceptors === 0 ? { fd: 3 } : { fd: 3, acceptors, drainAfter: 1000, drainOver: 0 })
if (cluster.isPrimary) console.log(JSON.stringify(server.addresses))
