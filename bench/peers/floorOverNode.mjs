// The floor of Node's own sockets: what node:net costs an echo when nobody looks at the bytes, or node:tls, where there is a
// key. Each frame is answered with the unmasked copy of the first one of its length, which is made once: the load client
// always sends the same message.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createServer as createSecureServer } from 'node:tls'

const [port, , keyFile, certFile] = process.argv.slice(2)
const answers = new Map()

/** The length of the frame at the begin of the bytes, and of its header with the key; undefined while that is not there. */
function frameOf(bytes) {
  const short = bytes[1] & 127
  const header = short < 126 ? 6 : short === 126 ? 8 : 14
  if (bytes.length < header) return undefined
  const length = header === 6 ? short : header === 8 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  return { header, length: header + length }
}

function unmasked(bytes, header) {
  const payload = bytes.subarray(header).map((byte, at) => byte ^ bytes[header - 4 + (at & 3)])
  const head = Buffer.from(bytes.subarray(0, header - 4))
  head[1] &= 127
  return Buffer.concat([head, payload])
}

function echo(socket) {
  let kept = Buffer.alloc(0)
  let left = 0
  let length = 0
  socket.on('data', (chunk) => {
    for (let bytes = chunk; bytes.length > 0; ) {
      if (left > 0 && answers.has(length)) {
        const taken = Math.min(left, bytes.length)
        left -= taken
        bytes = bytes.subarray(taken)
      } else {
        kept = kept.length === 0 ? bytes : Buffer.concat([kept, bytes])
        const frame = frameOf(kept)
        if (frame === undefined || (!answers.has(frame.length) && kept.length < frame.length)) return
        length = left = frame.length
        if (!answers.has(length)) answers.set(length, unmasked(kept.subarray(0, length), frame.header))
        bytes = kept
        kept = Buffer.alloc(0)
        continue
      }
      if (left === 0) socket.write(answers.get(length))
    }
  })
}

function accepted(socket) {
  socket.on('error', () => socket.destroy())
  socket.once('data', (head) => {
    const [, key] = /sec-websocket-key: *(\S+)/i.exec(head.toString('latin1'))
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    echo(socket)
  })
}

const server =
  keyFile === undefined
    ? createServer({ noDelay: true }, accepted)
    : createSecureServer({ key: readFileSync(keyFile), cert: readFileSync(certFile), noDelay: true }, accepted)
server.listen(Number(port), '127.0.0.1', () => console.log('listening'))
