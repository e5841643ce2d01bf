// What the crossover's server does with a large message: the same code in the message handler and in a thread.
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { LargeContext, LargeMessage, Message } from '../../src/index.js'

export const works = ['nothing', 'UTF-8 validation', 'sha256', 'JSON.parse'] as const
export type Work = (typeof works)[number]

/** Does it; the answer is short. */
export function work(kind: Work, message: Message | LargeMessage): string {
  if (kind === 'JSON.parse') return String(message.json<unknown[]>().length)
  if (kind === 'sha256') return createHash('sha256').update(message.view).digest('hex')
  if (kind === 'UTF-8 validation') return String(isUtf8(message.view))
  return 'done'
}

/** As the pool wants it. */
export default function handle(message: LargeMessage, { data }: LargeContext<Work>): string {
  return work(data, message)
}
