// The entry `millrace/client`: connections to servers.
export type { ReconnectOptions } from './client/backOff.js'
export { CloseEvent, type CloseEventFacts } from './client/closeEvent.js'
export { connect } from './client/connect.js'
export type { ConnectError } from './client/connectError.js'
export {
  connectTopics,
  type ReceivedPublication,
  type TopicClient,
  type TopicClientOptions,
} from './client/connectTopics.js'
export type { EventHandler } from './client/eventHandlers.js'
export type {
  ClientLimits,
  ClientOptions,
  KeptMessages,
  Reach,
  ReconnectPause,
  RequestHeaders,
} from './client/options.js'
export type { TopicAnswer, TopicGap } from './client/topicState.js'
export type { UpgradeResponse } from './client/upgradeResponse.js'
export { WebSocket, type WebSocketOptions } from './client/webSocket.js'
export type { WebSocketData } from './client/webSocketArguments.js'
export type { OwnBytes } from './codec/ownBytes.js'
export type { Connection, Messages, Sendable, SendOptions, SendResult } from './connection/connection.js'
export type { DeflateOptions, EachDirection } from './connection/deflateSettings.js'
export type { ConnectionLimits, Handlers, OutputPolicy } from './connection/handlers.js'
export { Message } from './connection/message.js'
export type { MessageStream } from './connection/receiving/messageStream.js'
export type { Gap, GapReason, Resumption, SubscribeOptions } from './connection/resumption.js'
export { PreparedMessage, prepare } from './connection/sending/prepared.js'
export type { SendStreamOptions, StreamChunk, StreamSource } from './connection/sending/streamSource.js'
export type { LoadMeter, LoadPart, LoadScript } from './load/loadScript.js'
export { CloseCode } from './protocol/closeCode.js'
export type { UpgradeRequest } from './protocol/upgradeRequest.js'
export { ProtocolViolation, type ViolationName } from './protocol/violation.js'
