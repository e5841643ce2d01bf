// The module that the tests of the pool hand to it: what a large message says is what it does.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import type { LargeMessage } from '../../src/pool/largeMessage.js'

let kept: LargeMessage | undefined
let caught: unknown

/** Long enough to be large. */
export const PADDING = ' '.repeat(70_000)

const accessors = [() => kept?.text(), () => kept?.json(), () => kept?.bytes, () => kept?.view]

function failureOf(read: () => unknown): string {
  try {
    return `none: ${read()}`
  } catch (error) {
    return String(error)
  }
}

export default async function handle(message: LargeMessage, context: { readonly data: unknown }): Promise<unknown> {
  if (!message.isText) return message
  const [command = '', argument = ''] = message.text().trim().split(' ')
  if (command === 'throw') throw new Error('as asked')
  if (command === 'parse') return message.json()
  if (command === 'catch')
    try {
      message.json()
    } catch (error) {
      caught = error
    }
  if (command === 'caught') throw caught
  if (command === 'loop') for (;;);
  if (command === 'exit') process.exit(5)
  if (command === 'die') setTimeout(() => process.exit(6), 20)
  if (command === 'die' || command === 'never') await new Promise(() => setInterval(() => undefined, 1000))
  if (command === 'read') {
    const pipe = openSync(argument, 'r')
    readSync(pipe, message.view) // in the system, where nothing can end a thread: it writes when the pipe has bytes
    closeSync(pipe)
  }
  if (command === 'wait') await new Promise((resolve) => setTimeout(resolve, Number(argument)))
  if (command === 'context') return JSON.stringify(context.data)
  if (command === 'hash') return createHash('sha256').update(message.view).digest()
  if (command === 'number') return 42
  if (command === 'nothing') return undefined
  if (command === 'late') setTimeout(() => assert.fail('in a timer'), 20)
  if (command === 'scribble') for (;;) message.view.fill(0x2a)
  if (command === 'keep') kept = message
  if (command === 'kept') return JSON.stringify(accessors.map((read) => failureOf(read)))
  return `${command} ${argument} ${message.byteLength}`
}
