// The module of the pool in the checks: tells how long a message was, and in which thread it was read.
import { threadId } from 'node:worker_threads'

export default (message) => `${message.byteLength} ${message.text().length} ${threadId > 0}`
