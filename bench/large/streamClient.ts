// The other side of the streaming rows, in a process of its own: sends a long message in one frame and waits for its
// hash, or counts the bytes of one that it asked for. Does it once, and prints what it saw as JSON.
// usage: streamClient ws|plain in|out URL BYTES
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { dial } from '../../src/load/dial.js'
import { BINARY, buildFrame, TEXT } from '../../test/support/frames.js'
import { FrameCounter } from '../support/frameCounter.js'
import { BLOCK, masked, repeated } from './pattern.js'

/** What a transfer was like. */
export interface Transfer {
  readonly seconds: number
  /** Hash of what the server got, in hexadecimal digits; of a message out, how many bytes came. */
  readonly answer: string
}

const KEY = Buffer.of(0x37, 0xfa, 0x21, 0x3d)
const DIGITS = 64

const [protocol, direction, address = '', size] = process.argv.slice(2)
const url = new URL(address)
const length = Number(size)

async function opened(): Promise<Duplex> {
  if (protocol === 'ws') return (await dial(url, undefined, 10_000)).stream
  const socket = connect(Number(url.port), url.hostname)
  socket.write(`${direction} ${length}`)
  const [line]: Buffer[] = await once(socket, 'data')
  // The first of the bytes that were asked for may have come with it.
  if (line !== undefined && line.length > 1) socket.unshift(line.subarray(1))
  return socket
}

/** Sends the bytes; resolves with the last digits of what the server says to that. */
async function upload(stream: Duplex): Promise<string> {
  let answer = ''
  stream.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1')
    if (answer.length >= DIGITS) stream.emit('answered')
  })
  const answered = once(stream, 'answered')
  // One frame carries everything.
  if (protocol === 'ws') stream.write(buildFrame({ opcode: BINARY, key: KEY, announced: BigInt(length) }))
  for (const block of repeated(protocol === 'ws' ? masked(KEY) : BLOCK, length)) {
    if (!stream.write(block)) await once(stream, 'drain')
  }
  await answered
  return answer.slice(-DIGITS)
}

/** Asks for the bytes, and counts them; in frames of one message, or as they are. */
function download(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    const counter = new FrameCounter((counted, isClose) =>
      isClose ? reject(new Error('the server sent Close')) : resolve(String(counted)),
    )
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (protocol === 'ws') counter.feed(chunk)
    })
    stream.on('close', () => (protocol === 'ws' ? reject(new Error('the server ended')) : resolve(String(bytes))))
    if (protocol === 'ws') stream.write(buildFrame({ opcode: TEXT, payload: String(length), key: KEY }))
  })
}

const stream = await opened()
stream.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
const started = performance.now()
const answer = await (direction === 'in' ? upload(stream) : download(stream))
const transfer: Transfer = { seconds: (performance.now() - started) / 1000, answer }
console.log(JSON.stringify(transfer))
stream.destroy()
