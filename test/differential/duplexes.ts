// Connections of programs for both engines over a Duplex that is no socket.
import { Buffer } from 'node:buffer'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { readFrames } from '../support/frames.js'
import { bytes } from './show.js'
import { KEY, type Stage } from './stage.js'

/** A request as an http server would have made it. */
export function requestFor(): IncomingMessage {
  const request = new IncomingMessage(new Socket())
  request.method = 'GET'
  request.url = '/'
  Object.assign(request.headers, {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': KEY,
    'sec-websocket-version': '13',
  })
  return request
}

/** What has been read from the far end of a Duplex. */
export function collected(far: Duplex): { all(): Buffer } {
  const chunks: Buffer[] = []
  far.on('data', (chunk: Buffer) => chunks.push(chunk))
  far.on('error', () => undefined)
  return { all: () => Buffer.concat(chunks) }
}

export function noteFrames(stage: Stage, data: Buffer): void {
  const at = data.indexOf('\r\n\r\n') + 4
  if (at > 3) stage.note('head', data.toString('latin1', 0, at))
  for (const frame of readFrames(data.subarray(at > 3 ? at : 0)).frames)
    stage.note('frame', frame.opcode, frame.fin, bytes(frame.payload))
}

/** The server's end of a connection over a Duplex. */
export function over(stage: Stage, near: Duplex, head: Buffer = Buffer.alloc(0)): WebSocket | undefined {
  const wss = new stage.module.WebSocketServer({ noServer: true })
  let opened: WebSocket | undefined
  stage.call('handleUpgrade', () =>
    wss.handleUpgrade(requestFor(), near, head, (ws) => {
      opened = stage.watch(ws)
    }),
  )
  return opened
}
