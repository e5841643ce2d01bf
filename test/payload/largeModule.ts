// The module that the tests of the pool hand to it: what a large message says is what it does.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { LargeMessage } from '../../src/payload/largeMessage.js'

let kept: LargeMessage | undefined

/** Long enough to be large. */
export const PADDING = ' '.repeat(70_000)

export default async function handle(message: LargeMessage, context: { readonly data: unknown }): Promise<unknown> {
  if (!message.isText) return message
  const [command = '', argument = ''] = message.text().trim().split(' ')
  if (command === 'throw') throw new Error('as asked')
  if (command === 'loop') for (;;);
  if (command === 'exit') process.exit(5)
  if (command === 'wait') await new Promise((resolve) => setTimeout(resolve, Number(argument)))
  if (command === 'context') return JSON.stringify(context.data)
  if (command === 'hash') return createHash('sha256').update(message.view).digest()
  if (command === 'number') return 42
  if (command === 'nothing') return undefined
  if (command === 'late') setTimeout(() => assert.fail('in a timer'), 20)
  if (command === 'scribble') for (;;) message.view.fill(0x2a)
  if (command === 'keep') kept = message
  if (command === 'kept') {
    try {
      return kept?.text()
    } catch (error) {
      return String(error)
    }
  }
  return `${command} ${argument} ${message.byteLength}`
}
