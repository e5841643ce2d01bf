// The callback of what is sent, as Node's streams take it: ws hands on to them what it is given.
import { Buffer } from 'node:buffer'
import { encodingMistake } from './errors.js'
import type { SendCallback } from './sendCallbacks.js'

/**
 * The callback that was given, if one was. Throws a TypeError for what is neither a function nor false in a condition, because a
 * stream takes that to be an encoding, which it does not know.
 */
export function callbackOf(given: unknown): SendCallback | undefined {
  if (typeof given === 'function') return given as SendCallback
  if (!given || given === 'buffer' || (typeof given === 'string' && Buffer.isEncoding(given))) return undefined
  throw encodingMistake(given)
}
