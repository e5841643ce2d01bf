// Tells HTTP/2 with prior knowledge from HTTP/1.1 on a port without TLS: by the client's connection preface (RFC 9113,
// section 3.4), whose first line is a request that no client of HTTP/1.1 makes.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { type Deadlines, type Expiring, noDeadline } from '../../time/deadlines.js'

const FIRST_LINE = Buffer.from('PRI * HTTP/2.0\r\n')

/** Whether bytes begin with a preface; undefined where there are too few to say. */
function beginsHttp2(bytes: Uint8Array): boolean | undefined {
  const length = Math.min(bytes.length, FIRST_LINE.length)
  if (FIRST_LINE.compare(bytes, 0, length, 0, length) !== 0) return false
  return length === FIRST_LINE.length ? true : undefined
}

/** Who takes a socket, by what it begins with. */
export interface Versions {
  http1(socket: Socket): void
  http2(socket: Socket): void
}

/** Hands a socket on when enough of it has been read, all of which is given back to it; ends it at the tick `due`. */
export function sniff(socket: Socket, deadlines: Deadlines, due: number, { http1, http2 }: Versions): void {
  const waiting: Expiring = { ...noDeadline, expired: () => socket.destroy() }
  let read = Buffer.alloc(0)
  const done = (): void => {
    deadlines.clear(waiting)
    socket.off('readable', readable).off('end', end).off('close', done)
  }
  const handOn = (next: (socket: Socket) => void): void => {
    done()
    if (read.length > 0) socket.unshift(read)
    next(socket)
  }
  const end = (): void => {
    socket.destroy()
  }
  const readable = (): void => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) read = Buffer.concat([read, chunk])
    const answer = beginsHttp2(read)
    if (answer !== undefined) handOn(answer ? http2 : http1)
  }
  socket.on('error', () => socket.destroy())
  deadlines.setTick(waiting, due)
  socket.on('readable', readable).on('end', end).on('close', done)
}
