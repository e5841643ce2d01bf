// What streaming costs without WebSocket, in a process of its own: a server of node:net that hashes the bytes that it is
// told to expect, or sends as many as it is asked for. The first line of a connection says which: `in N` or `out N`.
// usage: plainServer PORT
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BLOCK, HASH, repeated } from './pattern.js'

const CHUNK = 256 * 1024

function hash(socket: Socket, length: number): void {
  const digest = createHash(HASH)
  let left = length
  socket.on('data', (chunk: Buffer) => {
    digest.update(chunk)
    left -= chunk.length
    if (left === 0) socket.end(digest.digest('hex'))
  })
}

async function send(socket: Socket, length: number): Promise<void> {
  await pipeline(Readable.from(repeated(BLOCK.subarray(0, CHUNK), length), { objectMode: false }), socket)
}

const server = createServer((socket) => {
  socket.on('error', () => undefined)
  socket.once('data', (line: Buffer) => {
    const [direction, length] = line.toString().split(' ')
    if (direction === 'in') hash(socket, Number(length))
    else send(socket, Number(length)).catch(() => socket.destroy())
    socket.write('\n') // only now may the bytes come
  })
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'))
