// Sees whether a server can be tested at all: it must open a connection and send a message back. One that can't would fail
// every case, which says less than one sentence does.
import { runAsClient, type Target } from './asClient.js'
import { boundsOf } from './bounds.js'
import type { Case } from './case.js'
import { alive } from './vocabulary.js'

const GREETING: Case = {
  id: '0/1',
  section: '0',
  title: 'a text comes back',
  rule: 'Cases are about servers that send every message back.',
  level: 'must',
  side: 'server',
  steps: alive,
}

/** What is in the way, as the rest of a sentence about the server; undefined if nothing is. */
export async function problemOf(target: Target, timeout: number): Promise<string | undefined> {
  const { patience, bounds } = boundsOf(GREETING, { timeout })
  try {
    const [first] = await runAsClient(GREETING, target, patience, bounds)
    if (first === undefined) return undefined
    if (first.expected.startsWith('HTTP')) return `opens no WebSocket: ${first.came}`
    return `does not send messages back, which the cases need: ${first.came}`
  } catch (error) {
    return `can't be reached: ${error instanceof Error ? error.message : error}`
  }
}
