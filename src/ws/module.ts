// The shape of the package ws: the class WebSocket has everything else as its properties, and is what `require` hands out.
import { format, parse } from './extension.js'
import { PerMessageDeflate } from './perMessageDeflate.js'
import { Receiver } from './receiver.js'
import { Sender } from './sender.js'
import { parse as parseSubprotocols } from './subprotocol.js'
import { WebSocket as SocketClass } from './webSocket.js'
import { WebSocketServer } from './webSocketServer.js'
import { createWebSocketStream } from './webSocketStream.js'

const extension = { format, parse }
const subprotocol = { parse: parseSubprotocols }

/** The class with all that the module exports. A bundler that takes one of them takes this statement, too. */
const WebSocket = Object.assign(SocketClass, {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  Server: WebSocketServer,
  subprotocol,
  WebSocket: SocketClass,
  WebSocketServer,
})

export {
  createWebSocketStream,
  extension,
  PerMessageDeflate,
  Receiver,
  Sender,
  subprotocol,
  WebSocket,
  WebSocket as default,
  // What `require` hands out (Node.js, "Loading ECMAScript modules using require()").
  WebSocket as 'module.exports',
  WebSocketServer,
}
