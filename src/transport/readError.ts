// The error with which node:net tells that a read has failed, for handles that node:net does not read.
import { getSystemErrorName } from 'node:util'

/** The error for a negative status of libuv's. */
export function readError(status: number): Error {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`read ${code}`), { errno: status, code, syscall: 'read' })
}
