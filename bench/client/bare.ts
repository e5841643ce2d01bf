// What a client takes that is none: a socket of node:net that writes one frame for each message, made beforehand, and counts what
// comes. Its key is zero, which masks nothing. What it takes is the system's and Node's own share of the other figures.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Client } from './program.js'

const KEY = 4

/** Opens a connection; `received` is told of the bytes of each message. */
export async function openBare(url: string, received: (bytes: number) => void): Promise<Client> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).setNoDelay()
  await once(socket, 'connect')
  await upgraded(socket)
  let frame = Buffer.alloc(0)
  let size = -1
  let missing = 0
  socket.on('data', (bytes: Buffer) => {
    missing -= bytes.length
    for (; missing <= 0; missing += answerLength(size)) received(size)
  })
  return {
    send(payload) {
      if (payload.length !== size) {
        size = payload.length
        frame = Buffer.concat([headerOf(size, 0x80), Buffer.alloc(KEY), payload])
        missing = answerLength(size)
      }
      socket.write(frame)
    },
    end: () => void socket.destroy(),
  }
}

async function upgraded(socket: Socket): Promise<void> {
  const key = Buffer.alloc(16).toString('base64')
  socket.write(
    'GET / HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  const [head] = await once(socket, 'data')
  if (!String(head).startsWith('HTTP/1.1 101 ')) throw new Error(`no connection: ${head}`)
}

/** The header of a binary message in one frame; `masked` is the bit that says so (RFC 6455, section 5.2). */
function headerOf(size: number, masked: number): Buffer {
  if (size < 126) return Buffer.from([0x82, masked | size])
  const header = Buffer.alloc(size < 65_536 ? 4 : 10)
  header[0] = 0x82
  header[1] = masked | (size < 65_536 ? 126 : 127)
  if (size < 65_536) header.writeUInt16BE(size, 2)
  else header.writeBigUInt64BE(BigInt(size), 2)
  return header
}

/** Bytes of the server's frame. */
function answerLength(size: number): number {
  return headerOf(size, 0).length + size
}
