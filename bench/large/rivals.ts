// Those of the comparison's servers that can run here.
import { allPeers, type Peer, type PeerName } from '../comparison/peers.js'

/** The named ones, in this order; those that can't run are named on standard error, with the reason. */
export function availablePeers(...names: readonly PeerName[]): Peer[] {
  return names
    .flatMap((name) => allPeers.filter((peer) => peer.name === name))
    .filter((peer) => {
      try {
        peer.prepare()
        return true
      } catch (error) {
        console.error(`${peer.name} ${error instanceof Error ? error.message : String(error)}`)
        return false
      }
    })
}
