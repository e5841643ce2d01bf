// A process of its own that opens many connections, leaves each in another state, and ends each in another way.
// usage: connectionStorm PORT COUNT ROUNDS [deflate]; with the last, what it sends is compressed, and that must be agreed on; prints a line after each round and waits for a line before the next.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { constants, deflateRawSync } from 'node:zlib'
import { BINARY, buildFrame, close, masked, TEXT } from './frames.js'
import { upgradeRequest } from './httpRequests.js'

const [port = 0, count = 0, rounds = 0] = process.argv.slice(2).map(Number)
const compresses = process.argv[5] === 'deflate'
const OFFER = compresses ? 'permessage-deflate' : undefined
const large = frame(
  BINARY,
  compresses ? Buffer.from(Array.from({ length: 30_000 }, (_, at) => at * at)) : Buffer.alloc(100_000),
)
const WINDOW = 250

/** What a connection has sent when it ends: nothing, a message, a fragment; a torn header, a torn payload. */
const states = [
  Buffer.alloc(0),
  Buffer.concat([frame(TEXT, 'hello'), frame(TEXT, 'hello '.repeat(100))]),
  frame(TEXT, 'part', false),
  frame(TEXT, 'hello').subarray(0, 3),
  large.subarray(0, 20_000),
]

/** A masked frame, compressed or not. */
function frame(opcode: number, data: string | Buffer, fin = true): Buffer {
  if (!compresses) return masked(opcode, data, fin)
  const payload = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  return buildFrame({ opcode, payload, fin, reserved: 4, key: Buffer.of(1, 2, 3, 4) })
}

/** From here on, a Close frame would be payload. */
const TORN = 3

async function open(index: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  socket.write(upgradeRequest({ 'Sec-WebSocket-Extensions': OFFER }))
  const [head] = await once(socket, 'data')
  if (compresses !== /sec-websocket-extensions/i.test(String(head))) throw new Error(`answered ${String(head)}`)
  socket.write(states[index % states.length] ?? Buffer.alloc(0))
  socket.resume()
  return socket
}

async function end(socket: Socket, index: number): Promise<void> {
  const closed = once(socket, 'close')
  if (index % 3 === 0) socket.resetAndDestroy()
  else if (index % 3 === 1 || index % states.length >= TORN) socket.end()
  else socket.write(close(1000))
  socket.on('end', () => socket.end())
  await closed
}

async function each<T>(items: T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) await work(items[index] as T, index)
  }
  await Promise.all(Array.from({ length: WINDOW }, worker))
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
for (let round = 0; round < rounds; round++) {
  const sockets: Socket[] = []
  await each(Array.from({ length: count }), async (_, index) => {
    sockets[index] = await open(index)
  })
  console.log(`open ${sockets.length}`)
  await lines.next()
  await each(sockets, end)
  console.log('closed')
  await lines.next()
}
process.exit(0)
