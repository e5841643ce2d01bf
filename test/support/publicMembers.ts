// The members of the types that an application is given, as the compiler knows them: a member that is added to a type and
// not listed here does not compile. What can be reached, and what the API reference explains, are compared with this.
import { inspect } from 'node:util'
import type {
  Connection,
  LargeMessage,
  Message,
  MessageStream,
  Messages,
  PreparedMessage,
  Route,
  Server,
  UpgradeRequest,
} from '../../src/index.js'

/** Each member of a type, so that none can be forgotten here, and none be made up. */
export type Members<Type> = Readonly<Record<keyof Type, true>>

export const connectionMembers: Members<Connection> = {
  data: true,
  id: true,
  isOpen: true,
  bufferedAmount: true,
  remoteAddress: true,
  protocol: true,
  deflateStatistics: true,
  request: true,
  send: true,
  sendFragment: true,
  sendStream: true,
  subscribe: true,
  unsubscribe: true,
  leftOut: true,
  isSubscribed: true,
  publish: true,
  ping: true,
  pause: true,
  resume: true,
  messages: true,
  close: true,
  terminate: true,
}

/** Of `server.connections`: a `ReadonlySet`, and how it is printed. */
export const connectionsMembers: Members<Server['connections'] & { [inspect.custom]: unknown }> = {
  size: true,
  has: true,
  forEach: true,
  keys: true,
  values: true,
  entries: true,
  [Symbol.iterator]: true,
  [inspect.custom]: true,
}

export const messageMembers: Members<Message> = {
  byteLength: true,
  isText: true,
  text: true,
  json: true,
  bytes: true,
  view: true,
}

export const streamMembers: Members<MessageStream> = {
  isText: true,
  byteLength: true,
  next: true,
  return: true,
  toReadable: true,
  toWeb: true,
  [Symbol.asyncIterator]: true,
}

export const loopMembers: Omit<Members<Required<Messages>>, 'throw'> = {
  next: true,
  return: true,
  [Symbol.asyncIterator]: true,
}

export const requestMembers: Members<UpgradeRequest> = {
  params: true,
  target: true,
  path: true,
  query: true,
  headers: true,
  origin: true,
  cookies: true,
  protocols: true,
  remoteAddress: true,
  httpVersion: true,
  secure: true,
  tls: true,
  signal: true,
}

export const serverMembers: Members<Server> = {
  connections: true,
  handshakes: true,
  address: true,
  port: true,
  addresses: true,
  listen: true,
  setSecureContext: true,
  handleUpgrade: true,
  handleStream: true,
  publish: true,
  subscribe: true,
  subscriberCount: true,
  brokerStatistics: true,
  reload: true,
  metrics: true,
  statistics: true,
  close: true,
}

export const preparedMembers: Members<PreparedMessage> = { isText: true, byteLength: true, release: true }
export const routeMembers: Members<Route> = {}
export const largeMembers: Members<LargeMessage> = {
  isText: true,
  byteLength: true,
  view: true,
  bytes: true,
  text: true,
  json: true,
}
