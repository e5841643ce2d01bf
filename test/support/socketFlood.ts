// A thread of its own, started by tests: it connects to a port and sends frames as fast as they are taken, for ever.
import { Buffer } from 'node:buffer'
import { connect } from 'node:net'
import { workerData } from 'node:worker_threads'
import { BINARY, masked } from './frames.js'
import { upgradeRequest } from './httpRequests.js'

const frames = Buffer.concat(Array.from({ length: 64 }, () => masked(BINARY, Buffer.alloc(65_535))))
const socket = connect(Number(workerData), '127.0.0.1')
socket.on('error', () => socket.destroy())
socket.write(upgradeRequest())

function flood(): void {
  while (!socket.destroyed && socket.write(frames));
  socket.once('drain', flood)
}

flood()
