// Chooses the transport of a stream that somebody else opened.
import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { KEEP_ALIVE } from '../internals/accept.js'
import { streamHandleOf, takeHandle, tlsHandleOf } from '../internals/node.js'
import { isSecure } from '../internals/tls.js'
import { DuplexTransport } from './duplex.js'
import { HandleTransport } from './handle.js'
import { SecureTransport } from './secure.js'
import { isPlainlyWritten, SocketTransport } from './socket.js'
import type { Transport } from './transport.js'

/**
 * A plain TCP socket gives up its handle, once everything is out of its buffers; anything else is a Duplex. The system notices
 * a vanished peer.
 */
export function transportOf(stream: Duplex, publicApi = false): Transport {
  if (stream instanceof Socket) stream.setKeepAlive(true, KEEP_ALIVE * 1000)
  return transportAsItIs(stream, publicApi)
}

/**
 * The same for whoever lets others write to the stream, too, and has the order kept (`alsoOf` of its Receiver). Keep-alive probes are
 * up to them: to ask for these takes four system calls.
 */
export function sharedTransportOf(stream: Duplex): Transport {
  return transportAsItIs(stream, false, () =>
    isPlainlyWritten(stream) ? new SocketTransport(stream) : new DuplexTransport(stream),
  )
}

/** `publicly` makes a transport of the public API. */
function transportAsItIs(
  stream: Duplex,
  publicApi: boolean,
  publicly = (): Transport => new DuplexTransport(stream),
): Transport {
  if (!(stream instanceof Socket)) return publicly()
  stream.setTimeout(0)
  stream.setNoDelay(true)
  if (isSecure(stream)) return secureTransportOf(stream, publicApi) ?? publicly()
  const handle = stream.writableLength === 0 && !publicApi ? streamHandleOf(stream) : undefined
  return handle === undefined ? publicly() : new HandleTransport(handle, stream)
}

/** A TLS socket whose bytes can be had without a stream in between; the private API must be there, and nothing in its buffers. */
function secureTransportOf(socket: TLSSocket, publicApi: boolean): Transport | undefined {
  const handle = socket.writableLength === 0 && !publicApi ? tlsHandleOf(socket) : undefined
  return handle && new SecureTransport(handle, socket)
}

/** The same of a socket that nobody else waits for: a plain one is left behind, and its connection costs less memory. */
export function transportAlone(stream: Duplex, publicApi = false): Transport {
  const isPlain = stream instanceof Socket && !isSecure(stream)
  if (!isPlain || stream.writableLength > 0 || publicApi) return transportOf(stream, publicApi)
  stream
    .setKeepAlive(true, KEEP_ALIVE * 1000)
    .setTimeout(0)
    .setNoDelay(true)
  const handle = takeHandle(stream)
  return handle === undefined ? new DuplexTransport(stream) : new HandleTransport(handle)
}

/** What came after the request: `head`, and what the socket has read since. */
export function earlyBytes(socket: Duplex, head: Buffer): Buffer {
  const chunks = [head]
  // From Node 26 on, a read returns one chunk.
  while (socket.readableLength > 0) chunks.push(socket.read())
  return chunks.length === 1 ? head : Buffer.concat(chunks)
}
