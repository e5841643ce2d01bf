// A program of node:cluster's that runs on the module named by its first argument. Its second says who accepts: the workers, which
// listen, or the primary, which hands each socket to a worker by `send`, as those do that bind a client to a worker. It writes the
// port, and ends with its input.
import cluster, { type Worker } from 'node:cluster'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net'

const [specifier = '', way = ''] = process.argv.slice(2)
const WORKERS = 2

if (cluster.isPrimary) primary()
else await worker()

function primary(): void {
  const workers = Array.from({ length: WORKERS }, () => cluster.fork())
  process.stdin.resume().on('end', () => process.exit(0))
  let ready = 0
  for (const each of workers) {
    each.on('message', (port) => {
      if (++ready < WORKERS) return
      if (way === 'workers') console.log(port)
      else deal(workers)
    })
  }
}

/** Accepts, and hands the sockets to the workers, by turns. */
function deal(workers: readonly Worker[]): void {
  let next = 0
  const server = createNetServer({ pauseOnConnect: true }, (socket) => {
    workers[next++ % workers.length]?.send('socket', socket)
  })
  server.listen(0, '127.0.0.1', () => console.log(portOf(server)))
}

async function worker(): Promise<void> {
  const { WebSocketServer }: typeof import('ws') = await import(specifier)
  const http = createServer()
  const wss = new WebSocketServer({ server: http })
  wss.on('connection', (ws, request) => {
    ws.send(`worker ${cluster.worker?.id} ${request.url}`)
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
  })
  process.on('disconnect', () => process.exit(0))
  process.on('message', (_, socket: Socket | undefined) => {
    if (socket === undefined) return
    http.emit('connection', socket)
    socket.resume()
  })
  if (way === 'workers') http.listen(0, '127.0.0.1', () => process.send?.(portOf(http)))
  else process.send?.(0)
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
