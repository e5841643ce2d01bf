// Topics belong to a server: what a client says about them goes to the server in a message of the application's own.
import { callerError } from '../checks/errors.js'
import type { Publisher } from '../connection/subscriber.js'

function refused(): never {
  throw callerError('ERR_CLIENT_TOPICS', 'topics belong to a server: send it a message that asks for what you want')
}

/** The topics of every client's connection: there are none. */
export const noTopics: Publisher = {
  pending: false,
  catchUp: () => undefined,
  subscribe: refused,
  resume: refused,
  unsubscribe: () => false,
  isSubscribed: () => false,
  publish: refused,
  leave: () => 0,
}
