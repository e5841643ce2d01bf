// The names that other servers have for options of millrace: ws, uWebSockets.js, Bun, Deno, socket.io and node:http.

/** Limits and the like under the names that others give them. */
const ALIASES: Readonly<Record<string, string>> = {
  perMessageDeflate: 'deflate',
  permessageDeflate: 'deflate',
  compression: 'deflate',
  compress: 'deflate',
  maxPayload: 'maxMessage',
  maxPayloadLength: 'maxMessage',
  maxMessageSize: 'maxMessage',
  maxMessageLength: 'maxMessage',
  maxHttpBufferSize: 'maxMessage',
  maxFrameSize: 'maxMessage',
  maxBackpressure: 'outputLimit',
  backpressureLimit: 'outputLimit',
  highWaterMark: 'outputLimit',
  closeOnBackpressureLimit: 'outputPolicy',
  sendPings: 'pingInterval',
  sendPingsAutomatically: 'pingInterval',
  heartbeatInterval: 'pingInterval',
  heartbeat: 'pingInterval',
  pingTimeout: 'idleTimeout',
  connectTimeout: 'handshakeTimeout',
  upgradeTimeout: 'handshakeTimeout',
  headersTimeout: 'handshakeTimeout',
  maxHeadersSize: 'maxHeaderSize',
  maxClients: 'maxConnections',
  connectionLimit: 'maxConnections',
  trustProxy: 'trustedProxies',
  trustedProxy: 'trustedProxies',
  allowedOrigins: 'origins',
  origin: 'origins',
  cors: 'origins',
  subprotocols: 'protocols',
  protocol: 'protocols',
  subprotocol: 'protocols',
  adapter: 'broker',
  verifyClient: 'upgrade',
  handleProtocols: 'upgrade',
  allowRequest: 'upgrade',
  authenticate: 'upgrade',
  hostname: 'host',
  address: 'host',
  unix: 'path',
  socketPath: 'path',
  ssl: 'tls',
  https: 'tls',
  workers: 'acceptors',
  processes: 'acceptors',
  cluster: 'acceptors',
  file: 'module',
  filename: 'module',
  maxThreads: 'threads',
  maxQueue: 'queue',
  keyFile: 'key',
  certFile: 'cert',
  caFile: 'ca',
  key_file_name: 'key',
  cert_file_name: 'cert',
  ca_file_name: 'ca',
  dhParamsFile: 'dhparam',
  dh_params_file_name: 'dhparam',
  ssl_ciphers: 'ciphers',
  certificate: 'cert',
  privateKey: 'key',
  statusCode: 'status',
  code: 'status',
  header: 'headers',
  message: 'body',
  reason: 'body',
  statusText: 'body',
}

/** Handlers under names that may also be an application's own. */
const HANDLER_ALIASES: Readonly<Record<string, string>> = {
  connection: 'open',
  connect: 'open',
  onConnection: 'open',
  onConnect: 'open',
  data: 'message',
  onData: 'message',
  receive: 'message',
  disconnect: 'close',
  onDisconnect: 'close',
  disconnected: 'close',
  end: 'close',
  fetch: 'request',
  handler: 'request',
}

/** Names of options that millrace does not have, and what it has instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  serverNoContextTakeover: 'write deflate: { contextTakeover: { server: false } }',
  clientNoContextTakeover: 'write deflate: { contextTakeover: { client: false } }',
  serverMaxWindowBits: 'write deflate: { windowBits: { server: 12 } }',
  clientMaxWindowBits: 'write deflate: { windowBits: { client: 12 } }',
  zlibDeflateOptions: 'write deflate: { windowBits: { server } }',
  zlibInflateOptions: 'write deflate: { windowBits: { client } }',
  concurrencyLimit: 'compression needs no limit of that kind: leave it out',
  server: "call server.handleUpgrade(request, socket, head) in the 'upgrade' listener of your HTTP server",
  httpServer: "call server.handleUpgrade(request, socket, head) in the 'upgrade' listener of your HTTP server",
  noServer: 'leave it out: a server that does not listen serves what handleUpgrade gives it',
  websocket: 'write its handlers beside the other options: { open, message, close }',
  handlers: 'write them beside the other options: { open, message, close }',
  on: 'handlers are options: { open, message, close }',
  path: "for paths of requests, use routes: { '/chat': route({ ... }) }; for a Unix socket, use server.listen({ path })",
  clientTracking: 'leave it out: server.connections has all connections',
  skipUTF8Validation: 'text is always validated: leave it out',
  autoPong: 'pings are always answered: leave it out',
  backlog: 'the value is fixed at 4096: leave it out',
  reusePort: 'with listen({ acceptors }), several processes share one port',
  exclusive: 'with listen({ acceptors }), several processes share one port',
  publishToSelf: 'connection.publish reaches all other subscribers, and server.publish reaches all',
  namespace: "use routes: { '/chat': route({ ... }) }",
}

/** The name that millrace has for a limit of another server. */
export function optionFor(name: string): string | undefined {
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
}

/** The name that millrace has for an option or a handler of another server. */
export function optionOrHandlerFor(name: string): string | undefined {
  return optionFor(name) ?? (Object.hasOwn(HANDLER_ALIASES, name) ? HANDLER_ALIASES[name] : undefined)
}

/** What millrace has instead of an option that other servers have. */
export function insteadOf(name: string): string | undefined {
  return Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined
}
