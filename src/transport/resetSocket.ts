// The reset of a socket. A pipe has none, and says so by throwing, which would end the process: it is closed. So is a socket
// whose end has not left: libuv does not reset that, and Node.js would lose its handle, which stays open.
import type { Socket } from 'node:net'

export function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) return void socket.destroy()
  try {
    socket.resetAndDestroy()
  } catch {
    socket.destroy()
  }
}
