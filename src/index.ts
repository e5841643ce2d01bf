// The public API of millrace.
export type { Connection, Sendable, SendResult } from './connection/connection.js'
export type { ConnectionLimits, Handlers } from './connection/handlers.js'
export { Message } from './connection/message.js'
export { CloseCode } from './protocol/closeCode.js'
export { ProtocolViolation, type ViolationName } from './protocol/violation.js'
export type { ServerLimits, ServerOptions } from './server/options.js'
export { createServer, type ListenOptions, Server } from './server/server.js'
