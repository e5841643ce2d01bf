// The reset of a socket. A pipe has none, and says so by throwing, which would end the process: it is closed.
import type { Socket } from 'node:net'

export function resetSocket(socket: Socket): void {
  try {
    socket.resetAndDestroy()
  } catch {
    socket.destroy()
  }
}
