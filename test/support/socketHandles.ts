// Accepted handles and who listens to them: the lowest floor of the server, without the server.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { codecOfThread } from '../../src/codec/codec.js'
import { acceptHandles } from '../../src/internals/accept.js'
import type { StreamHandle } from '../../src/internals/node.js'
import { readChunks } from '../../src/internals/stream.js'
import type { Receiver } from '../../src/transport/transport.js'
import { SocketClient } from './socketClient.js'

/** An accepted handle and the client at its other end. */
export interface HandlePair {
  readonly handle: StreamHandle
  readonly client: SocketClient
}

/** Connects a client to a handle that is not read from yet. Neither keeps the process alive. */
export async function handlePair(): Promise<HandlePair> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = new Promise<StreamHandle>((resolve, reject) => {
    const taken = acceptHandles(server, resolve, (status) => reject(new Error(`not accepted: ${status}`)))
    if (!taken) reject(new Error('the handle can not be taken over'))
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const client = await SocketClient.open(address.port)
  const handle = await accepted
  server.close()
  handle.unref()
  readChunks(handle, { readChunk: () => undefined })
  return { handle, client }
}

/** Notes what a transport tells, in order, and keeps what was received. */
export class Recorder implements Receiver {
  readonly events: string[] = []
  readonly chunks: Buffer[] = []
  /** Called with each read, before it returns. */
  onReceived: (length: number) => void = () => undefined

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  received(start: number, end: number): void {
    this.chunks.push(Buffer.from(codecOfThread().view(start, end - start)))
    if (this.events.at(-1) !== 'received') this.events.push('received')
    this.onReceived(end - start)
  }

  ended(): void {
    this.events.push('ended')
  }

  written(status: number): void {
    this.events.push(status === 0 ? 'written' : 'write failed')
  }

  closed(): void {
    this.events.push('closed')
  }
}

/** A block of the codec's memory with a pattern in it, to write from. */
export function filledBlock(pointer: number, length: number, seed = 0): Buffer {
  const { bytes } = codecOfThread()
  for (let at = 0; at < length; at++) bytes[pointer + at] = (at * 17 + (at >> 8) * 3 + seed) & 0xff
  return Buffer.from(bytes.subarray(pointer, pointer + length))
}
