// What programs do with a WebSocket and its socket in the turn in which it opens.
import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket, WebSocketServer } from 'ws'

/** What a listener of 'connection' does. */
export type Deed = (ws: WebSocket, request: IncomingMessage, server: WebSocketServer) => void

export const DEEDS: Readonly<Record<string, Deed>> = {
  'destroys the socket of the request': (_, request) => request.socket.destroy(),
  'destroys it with an error': (_, request) => request.socket.destroy(new Error('mine')),
  'sends, and destroys the socket of the request': (ws, request) => {
    ws.send('first')
    request.socket.destroy()
  },
  'ends the socket of the request': (ws, request) => {
    ws.send('first')
    request.socket.end()
  },
  'destroys the socket soon': (ws, request) => {
    ws.send('first')
    request.socket.destroySoon()
  },
  'destroys _socket': (ws) => void (Reflect.get(ws, '_socket') as Socket).destroy(),
  terminates: (ws) => ws.terminate(),
  'sends, and terminates': (ws) => {
    ws.send('first')
    ws.terminate()
  },
  closes: (ws) => ws.close(1000, 'done'),
  'sends, and closes': (ws) => {
    ws.send('first')
    ws.close()
  },
  'sends, and writes to the socket of the request': (ws, request) => {
    ws.send('first')
    request.socket.write(Buffer.from('820161', 'hex'))
    ws.send('second')
    request.socket.write(Buffer.from('820162', 'hex'), () => ws.terminate())
  },
  'writes to the socket of the request': (ws, request) => {
    request.socket.write(Buffer.from('820161', 'hex'), () => ws.terminate())
  },
  'closes the server, and terminates': (ws, _, server) => {
    server.close()
    ws.terminate()
  },
}
