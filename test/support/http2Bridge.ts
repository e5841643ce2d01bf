// A proxy of the tests': what a client of bytes sends over HTTP/1.1 goes to the server as a stream of an HTTP/2 session, and
// back. So a test that was written for sockets runs over HTTP/2. The variable MILLRACE_WIRE=http2 puts it in between.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { acceptKey } from '../../src/protocol/openingHandshake.js'

/** Whether the tests of this process run over HTTP/2. */
export const overHttp2: boolean = process.env['MILLRACE_WIRE'] === 'http2'

const CANCEL = 8
/** The bridge before a server's port. */
const bridges = new Map<number, Promise<number>>()

/** The port to connect to in order to reach the server at a port. */
export function portBefore(port: number): number | Promise<number> {
  if (!overHttp2) return port
  let bridge = bridges.get(port)
  if (bridge === undefined) {
    bridge = bridgeTo(port)
    bridges.set(port, bridge)
  }
  return bridge
}

async function bridgeTo(port: number): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.unref()
    readHead(socket, (head) => carry(socket, head, port))
  })
  server.unref()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

function readHead(socket: Socket, next: (head: string) => void): void {
  let read = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    read = Buffer.concat([read, chunk])
    const end = read.indexOf('\r\n\r\n')
    if (end < 0) return
    socket.off('data', onData).pause()
    if (read.length > end + 4) socket.unshift(read.subarray(end + 4))
    next(read.toString('latin1', 0, end))
  }
  socket.on('data', onData)
}

/** The fields of the request, without those of HTTP/1.1. */
function fieldsOf(head: string): OutgoingHttpHeaders {
  const [line = '', ...lines] = head.split('\r\n')
  const fields: OutgoingHttpHeaders = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': line.split(' ')[1] ?? '/',
  }
  for (const text of lines) {
    const at = text.indexOf(':')
    const [name, value] = [text.slice(0, at).toLowerCase(), text.slice(at + 1).trim()]
    if (name === 'host') fields[':authority'] = value
    else if (!['upgrade', 'connection', 'sec-websocket-key', 'content-length'].includes(name)) fields[name] = value
  }
  return fields
}

function carry(socket: Socket, head: string, port: number): void {
  const [, key = ''] = /sec-websocket-key: *(\S+)/i.exec(head) ?? []
  const session = connect(`http://127.0.0.1:${port}`)
  session.unref() // a test that fails must not keep its process alive
  session.on('error', () => socket.destroy())
  // A server that leaves may end a session before its stream has begun, which then says nothing.
  session.once('close', () => setImmediate(() => socket.writableEnded || socket.destroy()))
  socket.once('close', () => session.close())
  session.once('remoteSettings', () => {
    const stream = session.request(fieldsOf(head), { endStream: false })
    stream.on('error', () => undefined)
    stream.once('response', (headers) => answered(socket, stream, headers, key))
    stream.once('close', () => end(socket, stream.rstCode))
    socket.once('close', (failed) => {
      if (failed || !socket.writableFinished) stream.close(CANCEL)
    })
    socket.once('error', () => stream.close(CANCEL))
  })
}

/**
 * A stream that was reset is a connection that is reset. A socket that is half-closed can't be reset: Node.js then loses its
 * handle, which is never closed, and waits for it without end when the process exits.
 */
function end(socket: Socket, code: number | undefined): void {
  if (code === 0) socket.end()
  else if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

function answered(socket: Socket, stream: ClientHttp2Stream, headers: IncomingHttpHeaders, key: string): void {
  const status = Number(headers[':status'])
  const lines = Object.entries(headers).filter(([name]) => !name.startsWith(':') && name !== 'date')
  const fields = lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')
  const upgraded = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n`
  socket.write(status === 200 ? `${upgraded}${fields}\r\n` : `HTTP/1.1 ${status} Refused\r\n${fields}\r\n`)
  stream.pipe(socket)
  socket.pipe(stream)
}
