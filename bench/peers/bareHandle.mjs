// The floor of Node's own stream handles: what an echo costs over TCPWrap where nothing is kept for a connection. Every read
// lands in one buffer, and is answered with the unmasked copy of its first one of its length: the load client always sends
// the same message, one at a time, which is read in one piece.
import { createHash } from 'node:crypto'

const [port] = process.argv.slice(2)
const { TCP, constants } = process.binding('tcp_wrap')
const { WriteWrap, streamBaseState: state, kReadBytesOrError } = process.binding('stream_wrap')

const room = Buffer.allocUnsafeSlow(64 * 1024)
const answers = new Map()
const request = new WriteWrap()

/** The answer to the frame that was read, which has at most 125 bytes. */
function answerTo(length) {
  const known = answers.get(length)
  if (known !== undefined) return known
  const made = Buffer.from(room.subarray(4, length))
  made[0] = room[0]
  made[1] = room[1] & 127
  for (let at = 2; at < made.length; at++) made[at] ^= room[2 + ((at - 2) & 3)]
  answers.set(length, made)
  return made
}

function readEcho() {
  const length = state[kReadBytesOrError]
  if (length > 0) this.writeBuffer(request, answerTo(length))
  else if (length < 0) this.close()
  return undefined
}

function readHandshake(chunk) {
  const length = state[kReadBytesOrError]
  if (length < 0) this.close()
  if (length <= 0) return undefined
  const [, key] = /sec-websocket-key: *(\S+)/i.exec(Buffer.from(chunk).toString('latin1'))
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
  this.writeLatin1String(new WriteWrap(), head)
  this.onread = readEcho
  this.useUserBuffer(room)
  return undefined
}

const server = new TCP(constants.SERVER)
server.onconnection = (status, handle) => {
  if (status !== 0) return
  handle.setNoDelay(true)
  handle.onread = readHandshake
  handle.readStart()
}
if (server.bind('127.0.0.1', Number(port)) !== 0 || server.listen(4096) !== 0) process.exit(1)
console.log('listening')
