// What can be a topic.
import { Buffer } from 'node:buffer'
import { callerError } from '../checks/errors.js'
import { MAX_TOPIC_BYTES } from './broker.js'

/** Throws a TypeError for what can be no topic. */
export function checkName(name: string): void {
  // A lone surrogate can't travel: to a broker, it would be another topic.
  const fits = typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= MAX_TOPIC_BYTES
  if (!fits || /\p{Surrogate}/u.test(name))
    throw callerError('ERR_TOPIC_NAME', `a topic is a string of 1 to ${MAX_TOPIC_BYTES} bytes`)
}
