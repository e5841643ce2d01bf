// What became of the messages of all connections, where they have sequence numbers.
import type { LoadOptions } from './options.js'
import type { LoadResult } from './result.js'
import type { Disorder, Sequence } from './sequence.js'
import { hasRoom } from './sequenceMaterial.js'

interface Numbered {
  readonly sequence: Sequence | undefined
}

/** Whether the messages of a load have sequence numbers. */
export function hasRoomFor({ kind, size, sequence = false }: LoadOptions): boolean {
  return sequence && kind !== 'deflate' && hasRoom(kind, size)
}

/** Messages that may still be answered. */
export function unanswered(connections: readonly Numbered[]): number {
  return connections.reduce((sum, { sequence }) => sum + (sequence?.outstanding ?? 0), 0)
}

/** With `over`, what is unanswered now is lost. */
export function disorderIn(connections: readonly Numbered[], over: boolean): Disorder {
  const total = { lost: over ? unanswered(connections) : 0, doubled: 0, reordered: 0 }
  for (const { sequence } of connections) {
    total.lost += sequence?.lost ?? 0
    total.doubled += sequence?.doubled ?? 0
    total.reordered += sequence?.reordered ?? 0
  }
  return total
}

/** What is wrong with the messages of a load, if anything, in the words of its pattern. */
export function disorderOf(
  { disorder, disorderlyReceivers, counts }: Pick<LoadResult, 'disorder' | 'disorderlyReceivers' | 'counts'>,
  { pattern }: { readonly pattern?: LoadOptions['pattern'] | undefined },
): string | undefined {
  if (disorder === undefined) return undefined
  // Answers that are known by their ids may come in any order.
  if (pattern?.name === 'match') return problemOf({ ...disorder, reordered: 0 })
  if (pattern?.name !== 'fanout') return problemOf(disorder)
  const problem = problemOf(disorder, 'deliveries')
  return problem && `${problem}, at ${disorderlyReceivers} of ${counts?.['receivers']} receivers`
}

/** What is wrong with it, if anything; `things` is what the messages are called. */
export function problemOf({ lost, doubled, reordered }: Disorder, things = 'messages'): string | undefined {
  const parts = [
    lost > 0 ? `${lost} lost` : '',
    doubled > 0 ? `${doubled} doubled` : '',
    reordered > 0 ? `${reordered} reordered` : '',
  ].filter((part) => part !== '')
  return parts.length === 0 ? undefined : `of the ${things}, ${parts.join(', ')}`
}
