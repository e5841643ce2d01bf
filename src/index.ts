// The public API of millrace.
export type { ErrorCode } from './checks/errors.js'
export { createServer } from './cluster/createServer.js'
export type { ClusterOptions } from './cluster/options.js'
export type { Server } from './cluster/server.js'
export type { ProcessStatistics, ServerMetrics } from './cluster/statistics.js'
export type { OwnBytes } from './codec/ownBytes.js'
export type { Connection, Messages, Sendable, SendOptions, SendResult } from './connection/connection.js'
export type { DeflateOptions, EachDirection } from './connection/deflateSettings.js'
export type { DeflatedBytes, DeflateStatistics } from './connection/deflateTally.js'
export type { ConnectionLimits, Handlers, OutputPolicy } from './connection/handlers.js'
export { Message } from './connection/message.js'
export type { MessageStream } from './connection/receiving/messageStream.js'
export type { Gap, GapReason, Resumption, SubscribeOptions } from './connection/resumption.js'
export { PreparedMessage, prepare } from './connection/sending/prepared.js'
export type { SendStreamOptions, StreamChunk, StreamSource } from './connection/sending/streamSource.js'
export type { ByTier, DurationHistogram, Metrics, Opcode, Tier } from './metrics/table.js'
export type { LargeContext, LargeHandler, LargeMessage, LargeReply } from './pool/largeMessage.js'
export type { LargeOptions } from './pool/pool.js'
export { CloseCode } from './protocol/closeCode.js'
export type { ResponseHeaders } from './protocol/responseHeaders.js'
export type { CertificateName, ClientCertificate, TlsCipher, TlsFacts } from './protocol/tlsFacts.js'
export type { UpgradeRequest } from './protocol/upgradeRequest.js'
export { ProtocolViolation, type ViolationName } from './protocol/violation.js'
export type { CloseOptions } from './server/drainage.js'
export type { LargeRouteOptions } from './server/largeRouteOptions.js'
export type { ListenOptions } from './server/listener.js'
export {
  type Acceptance,
  type CommonOptions,
  type Rejection,
  type Route,
  type RouteOptions,
  route,
  type ServerLimits,
  type ServerOptions,
  type Upgrade,
} from './server/options.js'
export type { Broker, BrokerStatistics, Interrupted, Receive } from './topics/broker.js'
export type { TopicListener, TopicMessage } from './topics/listeners.js'
export type { HistoryOptions, TopicsOptions } from './topics/options.js'
export {
  createPresence,
  type Presence,
  type PresenceEvent,
  type PresenceOptions,
  type PresenceServer,
  type PresentConnection,
} from './topics/presence.js'
export type { Member } from './topics/presenceRecords.js'
export { serveTopics } from './topics/requests.js'
