// This file takes the place of your database. It keeps users and sessions in memory, and forgets them when the process ends.
// Every function is async, as yours will be. Replace this file, and keep its functions.
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

const sessions = new Map()

/** Makes a session for a user, and resolves with an id that nobody can guess. A real program checks a password first. */
export async function createSession(user) {
  await delay(5)
  const id = randomBytes(16).toString('base64url')
  sessions.set(id, { user, expires: Date.now() + 3_600_000 })
  return id
}

/** Resolves with the user of a session, or undefined if there is none, or it has expired. Aborted by `signal`. */
export async function userOf(id, signal) {
  await delay(5, undefined, { signal })
  const session = sessions.get(id)
  return session !== undefined && session.expires > Date.now() ? session.user : undefined
}
