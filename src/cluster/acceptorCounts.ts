// What all acceptors have counted together: those that have ended stay in the sum, for no counter may fall.
import { sumOf, type Told, tell } from '../metrics/snapshot.js'
import type { AcceptorProcess } from './acceptorProcess.js'

/** How an acceptor ends that was told to end. */
export const WELL = 'ended with code 0'

/** How long the last report of an acceptor may be under way after its end, in milliseconds. */
const LAST_WORDS = 500

export class AcceptorCounts {
  /** Those whose counters are not among what remains of acceptors that have ended. */
  readonly #living = new Set<AcceptorProcess>()
  #remains: Told = {}

  get told(): Told {
    return tell(sumOf([this.#remains, ...[...this.#living].map(({ counted }) => counted)]))
  }

  add(acceptor: AcceptorProcess): void {
    this.#living.add(acceptor)
    acceptor.ended.then((how) => setTimeout(() => this.#remember(acceptor, how), LAST_WORDS).unref())
  }

  /** An acceptor has ended, and what it had to say has come. */
  #remember(acceptor: AcceptorProcess, how: string): void {
    this.#living.delete(acceptor)
    const death: Told = how === WELL ? {} : { acceptorDeaths: 1 }
    this.#remains = tell(sumOf([this.#remains, acceptor.counted, death]))
  }
}
