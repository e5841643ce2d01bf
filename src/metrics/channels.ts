// What millrace tells on diagnostics_channel. A channel on which nobody listens costs one look at whether anybody does.
import { channel } from 'node:diagnostics_channel'

/** Where each event is told. */
export const channels = {
  /** `{ connection, role }`: a connection is open, and its `open` handler is about to be called. */
  open: channel('millrace:connection:open'),
  /** `{ connection, role, code, reason }`: a connection has ended, and its `close` handler is about to be called. */
  close: channel('millrace:connection:close'),
  /** `{ connection, role, error }`: the peer has broken a rule or a limit; `error` is a ProtocolViolation. */
  violation: channel('millrace:connection:violation'),
  /** `{ connection, role, error }`: a handler has thrown, or its promise has rejected. */
  messageError: channel('millrace:message:error'),
  /** `{ status, reason, remoteAddress }`: an opening handshake was refused. */
  refused: channel('millrace:handshake:refused'),
} as const
