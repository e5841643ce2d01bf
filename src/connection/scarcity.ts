// When memory is scarce, nothing more may come that would have to be kept: all connections stop reading at once.
import type { BudgetOwner, Claimant } from '../payload/budget.js'
import type { Connection } from './connection.js'
import { Peer } from './peer.js'

/** What a budget does to these connections. */
export function readersOf(connections: Iterable<Connection<unknown>>): Required<Omit<BudgetOwner, 'began'>> {
  return {
    scarce(spared: Claimant | undefined) {
      for (const one of connections) if (one instanceof Peer && one !== spared) one.memoryScarce()
    },
    plenty() {
      for (const one of connections) if (one instanceof Peer) one.memoryPlenty()
    },
  }
}
