// The `ws` client with its events as queues.
import { Buffer } from 'node:buffer'
import { type ClientOptions, type RawData, WebSocket } from 'ws'
import { Inbox } from './inbox.js'
import type { Payload } from './payloads.js'

export interface Ended {
  readonly code: number
  readonly reason: string
}

export class WsClient {
  readonly socket: WebSocket
  readonly messages = new Inbox<Payload>()
  readonly pings = new Inbox<Buffer>()
  readonly pongs = new Inbox<Buffer>()
  readonly ended: Promise<Ended>

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data, isBinary) => this.messages.push(isBinary ? bytesOf(data) : bytesOf(data).toString()))
    socket.on('ping', (data) => this.pings.push(data))
    socket.on('pong', (data) => this.pongs.push(data))
    this.ended = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        for (const inbox of [this.messages, this.pings, this.pongs]) inbox.end(`closed with ${code} ${reason}`)
        resolve({ code, reason: reason.toString() })
      })
    })
  }

  static async open(url: string, options: ClientOptions = {}): Promise<WsClient> {
    const socket = new WebSocket(url, options)
    const client = new WsClient(socket)
    await new Promise((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    socket.on('error', () => undefined) // 'close' follows, and tells
    return client
  }

  /** Sends in as many fragments as there are pieces. */
  sendFragments(pieces: readonly Buffer[], isText: boolean): void {
    pieces.forEach((piece, at) => {
      this.socket.send(piece, { binary: !isText, fin: at === pieces.length - 1 })
    })
  }

  close(code?: number, reason?: string): Promise<Ended> {
    this.socket.close(code, reason)
    return this.ended
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}
