// What a WebSocket's options come to for its peer.
import type { SocketSettings } from './socketOwner.js'
import type { WebSocketOptions } from './webSocketOptions.js'

let latest: SocketSettings = { closeTimeout: undefined, mostPongs: undefined, deflate: undefined }

/** The settings that options ask for: those of the WebSocket before, where they are the same. */
export function settingsOf({ autoPong, maxPendingAutoPongs, closeTimeout }: WebSocketOptions): SocketSettings {
  const mostPongs = autoPong ? Number(maxPendingAutoPongs) | 0 : undefined
  if (closeTimeout !== latest.closeTimeout || mostPongs !== latest.mostPongs)
    latest = { closeTimeout, mostPongs, deflate: undefined }
  return latest
}
