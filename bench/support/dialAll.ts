// Opens many connections to one server: some at a time, so that its backlog holds, and none after one could not be.
import { type ClientSocket, dial } from '../../src/load/dial.js'

const AT_ONCE = 64
const DIAL_TIMEOUT = 30_000

/** Gives each connection to `take`. Rejects with the first failure, when nothing is being opened any more. */
export async function dialAll(url: URL, connections: number, take: (dialled: ClientSocket) => void): Promise<void> {
  let wanted = connections
  const opener = async (): Promise<void> => {
    try {
      while (wanted-- > 0) take(await dial(url, undefined, DIAL_TIMEOUT))
    } catch (error) {
      wanted = 0
      throw error
    }
  }
  const openers = await Promise.allSettled(Array.from({ length: AT_ONCE }, opener))
  for (const opened of openers) if (opened.status === 'rejected') throw opened.reason
}
