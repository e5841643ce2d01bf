// Every error that a user of millrace can cause or is told of, with a code that stays the same when its words change.
// docs/errors.md is written from here. Mistakes of peers are no errors of callers: see protocol/violation.ts.

/** The class of an error, when it comes, and what to do about it. */
type Entry = readonly [kind: new (message: string, options?: ErrorOptions) => Error, when: string, remedy: string]

export const callerErrors = {
  ERR_OPTION_UNKNOWN: [
    TypeError,
    'An object of options has a name that is not an option.',
    'The message says which option may have been meant.',
  ],
  ERR_OPTION_KIND: [
    TypeError,
    'The value of an option is of the wrong kind, or there is no object of options at all.',
    'The message says what the value must be.',
  ],
  ERR_OPTION_RANGE: [
    RangeError,
    'A number is not a whole number, or is out of its bounds.',
    'The message names the bounds; [limits](limits.md) has all of them.',
  ],
  ERR_OPTION_MISSING: [
    TypeError,
    'An option lacks what it needs: `large` its module, `tls` its certificate.',
    'Add it.',
  ],
  ERR_OPTION_CONFLICT: [
    TypeError,
    'Options of `listen` exclude each other, or one needs another.',
    'Leave one out, or call `listen` once for each place.',
  ],
  ERR_ROUTE: [
    TypeError,
    'A name in the option `routes` is not a path, or its value was not made by the function `route`.',
    "Write `routes: { '/chat': route({ ... }) }`.",
  ],
  ERR_PROXY_ADDRESS: [
    TypeError,
    'An entry of `trustedProxies` is neither an address nor a network.',
    'Write 10.0.0.1, 10.0.0.0/8, ::1 or unix.',
  ],
  ERR_ARGUMENT_KIND: [
    TypeError,
    'An argument is of the wrong kind: data to send, a close code, or an argument of `handleUpgrade`.',
    'The message says what the argument must be.',
  ],
  ERR_ARGUMENT_SURPLUS: [
    TypeError,
    'A function was given more arguments than it takes, for example a callback.',
    'Handlers are options; functions return promises.',
  ],
  ERR_UPGRADE_ANSWER: [
    TypeError,
    '`upgrade` returned something that is not an answer: the client gets 500, and `upgradeFailed` gets the error. Or `handleUpgrade` was given such a thing: it throws the error, and the request has no answer yet.',
    'Return nothing or `{ data, headers, protocol, deflate, expiresAt }` to accept, and `{ status, headers, body }` to refuse.',
  ],
  ERR_UPGRADE_TWICE: [
    Error,
    '`handleUpgrade` was given a socket that it, or that of another server, had been given before.',
    'Answer each upgrade once. If two servers have listeners on one HTTP server, give each request to one of them.',
  ],
  ERR_UPGRADE_PROTOCOL: [
    TypeError,
    '`upgrade` chose a subprotocol that the client does not offer.',
    'Choose one of `request.protocols`.',
  ],
  ERR_UPGRADE_TIMEOUT: [
    Error,
    'The promise of `upgrade` did not settle in time. `upgradeFailed` gets the error, and `request.signal` is aborted with it.',
    'Raise `handshakeTimeout`, or answer sooner.',
  ],
  ERR_UPGRADE_ABORTED: [
    Error,
    'The reason of `request.signal`: the client has left, or the server closes, or it needs the room for another connection.',
    'Stop working on the request.',
  ],
  ERR_HEADER: [
    TypeError,
    'A header of a response has a name or a value that must not be sent, or the handshake sets this header itself.',
    'The message names the header.',
  ],
  ERR_MESSAGE_UNDER_WAY: [
    Error,
    'A message in fragments or a stream is being sent, and another message cannot begin.',
    'Wait for the end of the first: for its last fragment, or for the promise of `sendStream`.',
  ],
  ERR_FRAGMENT_KIND: [
    TypeError,
    'One message has fragments of text and fragments of bytes.',
    'Send all fragments of a message as strings, or all as bytes.',
  ],
  ERR_MESSAGE_GONE: [
    Error,
    'A message is read after its handler has returned, or after the promise that the handler returned has settled.',
    'Ask for `message.bytes` or `message.text()` in the handler, or return a promise.',
  ],
  ERR_PREPARED_RELEASED: [Error, 'A prepared message is sent after `release`.', 'Release it after its last use.'],
  ERR_CLOSE_CODE: [
    RangeError,
    'A close code must not be sent, or there is a close reason without a code.',
    'Use 1000 to 1003, 1007 to 1014 or 3000 to 4999.',
  ],
  ERR_CLOSE_REASON: [RangeError, 'A close reason is longer than 123 bytes.', 'Shorten it.'],
  ERR_PING_TOO_LONG: [RangeError, 'The data of a ping is longer than 125 bytes.', 'Shorten it.'],
  ERR_PINGS_UNANSWERED: [
    Error,
    'A ping was given up, because too many later ones wait for their pongs.',
    'Send fewer pings, or none: `pingInterval` does that.',
  ],
  ERR_TOPIC_NAME: [TypeError, 'A topic is not a string, is empty, or is longer than 255 bytes.', 'Use a shorter name.'],
  ERR_MAX_SUBSCRIPTIONS: [
    RangeError,
    'A connection would subscribe to more than `maxSubscriptions` topics.',
    'Raise the limit, or refuse the peer.',
  ],
  ERR_MAX_TOPICS: [
    RangeError,
    'There would be more than `maxTopics` topics with subscribers in this process.',
    'Raise the limit, or refuse the peer.',
  ],
  ERR_LARGE_MODULE_MISSING: [
    Error,
    'The file of `large.module` does not exist.',
    "Write `new URL('./large.js', import.meta.url)`.",
  ],
  ERR_LARGE_MODULE_EXPORT: [
    TypeError,
    'The module of `large` has no function as its default export.',
    'Write `export default function (message) { ... }`.',
  ],
  ERR_LARGE_TIMEOUT: [
    Error,
    'The module of `large` took longer than `large.timeout`. The `error` handler gets the error, and the connection ends with 1011.',
    'Raise the timeout, or do less.',
  ],
  ERR_CONNECTION_ENDED: [
    Error,
    'A promise waited for a connection that has ended: for a pong, for a stream to be sent, or for the rest of a message.',
    'Nothing: the `close` handler is called, too.',
  ],
  ERR_OUT_OF_MEMORY: [
    RangeError,
    'No memory is left for the operation: `payloadMemory` is used up, or the system gives no more.',
    'Try again later, or raise `payloadMemory`.',
  ],
  ERR_INVALID_JSON: [
    SyntaxError,
    '`json()` was called on a message that is not JSON.',
    'Nothing: if the error leaves a handler of the connection that sent it, that connection is closed with 1007.',
  ],
  ERR_SERVER_CLOSED: [Error, 'The server is closed, or closes.', 'Make a new server to listen again.'],
  ERR_NO_TLS: [
    Error,
    '`setSecureContext` was called on a server that does not listen with TLS.',
    'Call it after `listen({ tls })`; with acceptors, in each acceptor.',
  ],
  ERR_ACCEPTORS_UNAVAILABLE: [
    Error,
    '`listen({ acceptors })` was called in a worker thread, or in a worker of another cluster.',
    'Leave the option `acceptors` out in that case.',
  ],
  ERR_ACCEPTORS_TAKEN: [
    Error,
    'A second server of the process asks for acceptors.',
    'Use one server with several routes, or call its `listen` more than once.',
  ],
  ERR_ACCEPTORS_PROGRAM: [
    TypeError,
    'Acceptors run the program again, and this process was not started with a file.',
    'Start Node.js with a file.',
  ],
  ERR_NO_ACCEPTORS: [Error, '`reload` was called in a process that has no acceptors.', 'Call it in the primary.'],
  ERR_ACCEPTOR_FAILED: [
    Error,
    'An acceptor ended before it listened, or could not listen on the address of the others.',
    'Its own output says why.',
  ],
  ERR_ACCEPTOR_TIMEOUT: [
    Error,
    'An acceptor did not listen within `startTimeout`, and was killed.',
    'Raise the timeout, or let the program start faster.',
  ],
  ERR_MESSAGE_RESERVED: [
    Error,
    'A message between processes has a `cmd` that begins with `NODE_`, and Node.js would take it for its own.',
    'Do not pass on messages of clients unchanged.',
  ],
  ERR_PACKAGE_MISSING: [
    Error,
    'A package that is loaded only when it is needed is not installed: `@redis/client` for `redisBroker`, `@nats-io/transport-node` for `natsBroker`, piscina for `large`.',
    'Install it: the message says how.',
  ],
  ERR_FILE_BUNDLED: [
    Error,
    'The option `large` needs a file of millrace that a bundle does not contain.',
    'Tell the bundler to leave millrace external.',
  ],
  ERR_CONNECT_ADDRESS: [
    TypeError,
    '`connect` was given something that is not the address of a WebSocket server.',
    'Write `ws://` or `wss://`, `[user:password@]host[:port]/path`.',
  ],
  ERR_CONNECT_UNREACHABLE: [
    Error,
    '`connect` could not reach the server: the name, TCP, TLS or the proxy has failed. `cause` is the error of Node.js.',
    'The message says what failed.',
  ],
  ERR_CONNECT_TIMEOUT: [
    Error,
    'The connection was not open within `handshakeTimeout`.',
    'Raise the timeout, or try again later.',
  ],
  ERR_CONNECT_REFUSED: [
    Error,
    'The server has answered with another status than 101. `response` has its status and headers.',
    'Look at the status: 401 and 403 ask for other credentials, 429 and 503 for patience.',
  ],
  ERR_CONNECT_REDIRECT: [
    Error,
    'A redirect leads to no address, from `wss:` to `ws:`, or further than `followRedirects` allows. `response` has its headers.',
    'Connect to the address that the server names.',
  ],
  ERR_CONNECT_ANSWER: [
    Error,
    'The server has answered with something that is no right answer to the opening handshake.',
    'The message says what is wrong; the address may be that of another service.',
  ],
  ERR_CLIENT_TOPICS: [
    Error,
    '`subscribe` or `publish` was called on the connection of a client.',
    'Topics belong to a server: send it a message that asks for what you want.',
  ],
  ERR_REDIS_ADDRESS: [
    TypeError,
    'The address that `redisBroker` was given is not the address of a Redis server.',
    'Write `redis://` or `rediss://`, `[[user]:password@]host[:port]`.',
  ],
  ERR_REDIS_SILENT: [
    Error,
    'Redis has not answered within `timeout`. The option `error` of `redisBroker` gets the error.',
    'Nothing: the broker reconnects.',
  ],
  ERR_REFRESH_ANSWER: [
    TypeError,
    'The handler `refresh` returned something that is no time. The connection is closed with 1011, and `error` gets the error.',
    'Return a Date, milliseconds since 1970, or nothing.',
  ],
  ERR_NATS_ADDRESS: [
    TypeError,
    'The address that `natsBroker` was given is not the address of a NATS server.',
    'Write `nats://` or `tls://`, `[user:password@]host[:port]`, or several of them with commas between.',
  ],
  ERR_NATS_PREFIX: [
    TypeError,
    'The `prefix` of `natsBroker` can not begin a subject of NATS.',
    "Write parts without spaces, `*` and `>`, with dots between: `'app.topics.'`.",
  ],
  ERR_NATS_GONE: [
    Error,
    'NATS has closed the connection. The option `error` of `natsBroker` gets the error.',
    'Nothing: the broker reconnects.',
  ],
  ERR_STREAM_TRIMMED: [
    Error,
    'The Redis stream no longer held what this process had read last. The option `error` of `redisStreamsBroker` gets the error; `statistics.missed` counts what is known to be missing.',
    'Give `redisStreamsBroker` a larger `maxLength`, and Redis `appendonly yes` with `appendfsync always`.',
  ],
  ERR_NOT_CONFIRMED: [
    Error,
    'A publication was dropped, or the broker was closed before Redis had confirmed it. The promise of `confirmed` gets the error.',
    'Publish again later, or give `redisStreamsBroker` a larger `maxBuffered`.',
  ],
} as const satisfies Readonly<Record<string, Entry>>

/** The codes of errors that a user of millrace can cause, or is told of. */
export type ErrorCode = keyof typeof callerErrors

/** An error of the catalogue. */
export interface CallerError extends Error {
  readonly code: ErrorCode
}

/** Whether a code is one of the catalogue's. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(callerErrors, code)
}

/** Makes an error of the catalogue: its class is the one in the catalogue, and its stack begins at the caller. */
export function callerError(code: ErrorCode, message: string): CallerError {
  const [Kind] = callerErrors[code]
  const error = new Kind(message)
  Error.captureStackTrace(error, callerError)
  return Object.assign(error, { code })
}
