// A pipe between the primary and each acceptor, beside the channel of node:cluster: for many bytes, such as what is
// published to topics. Nothing is read from it until somebody asks for it.
import type { Worker } from 'node:cluster'
import { Duplex } from 'node:stream'
import { socketAt } from '../internals/descriptor.js'
import { LINK_DESCRIPTOR } from './environment.js'

/** The descriptors of an acceptor: no standard input, which only the primary has; then the channel, then the link. */
export const STDIO = ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] as const

/** The primary's end; undefined if the process could not be started. */
export function linkTo(worker: Worker): Duplex | undefined {
  const end = worker.process.stdio?.[LINK_DESCRIPTOR]
  return end instanceof Duplex ? end : undefined
}

/** The acceptor's end, to be opened once. */
export function linkToPrimary(): Duplex {
  return socketAt(LINK_DESCRIPTOR)
}
