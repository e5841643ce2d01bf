// The name of a connection: made when somebody asks for it, so that a connection nobody asks about costs nothing.
import { randomBytes } from 'node:crypto'

/** Tells the connections of this thread from those of all other threads, processes and machines. */
const prefix = randomBytes(12).toString('base64url')
const names = new WeakMap<object, string>()
let named = 0

/** The name of a connection: always the same for the same one. */
export function identityOf(connection: object): string {
  const known = names.get(connection)
  if (known !== undefined) return known
  const name = `${prefix}.${(named++).toString(36)}`
  names.set(connection, name)
  return name
}
