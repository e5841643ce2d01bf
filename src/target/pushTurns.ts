// What is pushed to all visitors together gets a share of each turn of the event loop, so that echoes and handshakes do not
// wait for it, however many are pushed to. Whoever has had no turn is the first in the next.
import { Queue } from '../time/queue.js'

/** Milliseconds of each turn for all pushes together. */
const SHARE = 4

const waiting = new Queue<() => void>()
let scheduled = false

/** Runs a step in a turn of its own; it takes a part of the share. */
export function inPushTurn(step: () => void): void {
  waiting.push(step)
  schedule()
}

function schedule(): void {
  if (!scheduled) setImmediate(run)
  scheduled = true
}

function run(): void {
  scheduled = false
  const until = performance.now() + SHARE
  for (let left = waiting.length; left > 0 && performance.now() < until; left--) waiting.shift()?.()
  if (waiting.length > 0) schedule()
}
