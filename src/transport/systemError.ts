// The errors with which node:net tells that a read or a write has failed, for handles that node:net does not use.
import { getSystemErrorName } from 'node:util'
import { statusNamed } from '../internals/stream.js'

/** The error for a negative status of libuv's. */
export function readError(status: number): Error {
  return systemError('read', status)
}

function systemError(syscall: string, status: number): Error {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall })
}

/** What a write comes to that is under way when its handle is closed. */
export const CANCELED = statusNamed('ECANCELED')

const cutsSilently = Number(process.versions.node.split('.')[0]) < 22

/** What the callback of such a write is told: by Node 20, nothing. */
export function cutError(): Error | null {
  return cutsSilently ? null : systemError('write', CANCELED)
}
