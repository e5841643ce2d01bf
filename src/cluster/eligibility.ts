// Who may have acceptors: one server of the main thread of a process that is no worker of another cluster.
import cluster from 'node:cluster'
import { isMainThread } from 'node:worker_threads'
import { callerError } from '../checks/errors.js'

/** Throws an Error where there can be no acceptors; `taken` says whether another server of this process has them. */
export function checkMayHaveAcceptors(taken: boolean): void {
  if (!isMainThread)
    throw callerError('ERR_ACCEPTORS_UNAVAILABLE', 'only the main thread can have acceptors: listen without them here')
  if (taken)
    throw callerError(
      'ERR_ACCEPTORS_TAKEN',
      'another server of this process has the acceptors: a program has one server with acceptors',
    )
}

/** Throws an Error in a worker of another cluster, which has no acceptors of its own. */
export function checkMayLead(): void {
  if (cluster.isWorker)
    throw callerError('ERR_ACCEPTORS_UNAVAILABLE', 'this is a worker of another cluster: listen without acceptors here')
}
