// What a program writes to a TLS socket by itself, while a connection writes past the socket to its handle, which aborts the
// process where it is given a second write before the first one is done: so both write in turn.
import { TLSSocket } from 'node:tls'

type Written = (error?: Error | null) => void

/** Whoever writes past a socket to its handle. */
export interface WritesPast {
  /** Calls `write` when what was to be written before is done, which may be at once; `othersWritten` follows when this is. */
  othersWrite(write: () => void): void
  othersWritten(): void
}

const writesPast = Symbol('writesPast')

type Shared = TLSSocket & { readonly [writesPast]?: WritesPast }

/** The same for all sockets: there may be many of them. */
const { prototype } = TLSSocket
const methods = {
  _write(this: Shared, chunk: Uint8Array | string, encoding: BufferEncoding, written: Written): void {
    inTurn(this, written, (done) => prototype._write.call(this, chunk, encoding, done))
  },
  _writev(this: Shared, chunks: { chunk: Uint8Array | string; encoding: BufferEncoding }[], written: Written): void {
    inTurn(this, written, (done) => prototype._writev?.call(this, chunks, done))
  },
  _final(this: Shared, written: Written): void {
    inTurn(this, written, (done) => prototype._final.call(this, done))
  },
}

function inTurn(socket: Shared, written: Written, write: (written: Written) => void): void {
  const past = socket[writesPast]
  if (past === undefined) return write(written)
  const done = (error?: Error | null): void => {
    written(error) // the next write of the socket, which this may begin, has its place before whatever is written past it from now on
    past.othersWritten()
  }
  past.othersWrite(() => write(done))
}

/** From now on, what is written to `socket`, and its end, take their turns with what is written past it. */
export function takeTurns(socket: TLSSocket, past: WritesPast): void {
  Object.assign(socket, methods, { [writesPast]: past })
}
