// What a program that runs with `millrace/ws/register` gets for ws: the entry `millrace/ws`, and a line that says so.
import { debuglog } from 'node:util'
import { WebSocket } from './module.js'

debuglog('millrace')('whoever asks for ws is given millrace: %s', import.meta.url)

export * from './module.js'
export { WebSocket, WebSocket as default, WebSocket as 'module.exports' }
