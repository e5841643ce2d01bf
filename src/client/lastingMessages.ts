// The messages of a connection that lasts, as one iterator: where those of one connection end, those of the next follow.
import type { Messages } from '../connection/connection.js'
import type { Message } from '../connection/message.js'

/** Where messages come from. */
export interface Source {
  /** Those of the connection now. */
  current(): Messages
  /** Resolves with true when there is another connection, and with false when there will be none. */
  another(): Promise<boolean>
}

export async function* lastingMessages(source: Source): AsyncGenerator<Message, undefined> {
  do yield* source.current()
  while (await source.another())
  return undefined
}
