// Heads of upgrade requests as clients write them, line by line, and what they come to: on an http server, where nearly none of
// these takes the short way of a plain upgrade.
import { same } from './same.js'
import { KEY, type Options, type Stage } from './stage.js'

const HEAD = ['Host: a', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${KEY}`]
const VERSION = 'Sec-WebSocket-Version: 13'

/** What a server is told of a head, and what its client is answered. */
function head(name: string, options: Options, first: string, lines: readonly string[], behind = ''): void {
  same(name, async (stage) => {
    const { port, wss } = await stage.serve(options)
    wss.on('connection', (ws, { url, headers, rawHeaders }) => {
      stage.note('connection', ws.protocol, ws.extensions, url, headers, rawHeaders)
      ws.on('error', (error) => stage.note('error', error))
    })
    wss.on('headers', (answered) => stage.note('headers', answered))
    await answer(stage, port, `${[first, ...lines].join('\r\n')}\r\n\r\n${behind}`)
  })
}

async function answer(stage: Stage, port: number, request: string): Promise<void> {
  const peer = await stage.dial(port)
  peer.write(request)
  const { status } = await peer.response()
  if (status !== 101) await peer.end()
  else if (!request.endsWith('\r\n\r\n')) await stage.quiet(60)
  stage.wire(peer)
}

const GET = 'GET / HTTP/1.1'

for (const version of ['013', ' 13 ', '0xd', '1.3e1', '13.0', '+13', '13, 13', '', '8', '0b1101', 'Infinity', '-13']) {
  head(`the version '${version}'`, {}, GET, [...HEAD, `Sec-WebSocket-Version: ${version}`])
}

const LINES: Readonly<Record<string, readonly string[]>> = {
  'two versions': [...HEAD, VERSION, VERSION],
  'two keys': [...HEAD, VERSION, `Sec-WebSocket-Key: ${KEY}`],
  'two upgrades': [...HEAD, VERSION, 'Upgrade: websocket'],
  'two connections': ['Connection: keep-alive', ...HEAD, VERSION],
  'no host': [...HEAD.slice(1), VERSION],
  'no connection': [
    ...HEAD.filter((line) => !line.startsWith('Connection')),
    'Connection: keep-alive, Upgrade',
    VERSION,
  ],
  'small letters': [...HEAD, VERSION].map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase())),
  'large letters': [...HEAD, VERSION].map((line) => line.replace(/^[^:]*/, (name) => name.toUpperCase())),
  'subprotocols in two lines': [...HEAD, VERSION, 'Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: b'],
  'the same subprotocol in two lines': [...HEAD, VERSION, 'Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: a'],
  'a length of nothing': [...HEAD, VERSION, 'Content-Length: 0'],
  'a letter of Latin 1': [...HEAD, VERSION, 'X: ü'],
  'fields that come twice': [...HEAD, VERSION, 'Cookie: a=1', 'Cookie: b=2', 'X: 1', 'X: 2', 'Origin: o', 'Origin: p'],
  'an expectation': [...HEAD, VERSION, 'Expect: 100-continue'],
}
for (const [name, lines] of Object.entries(LINES)) head(`a head with ${name}`, {}, GET, lines)

head('extensions in two lines', { perMessageDeflate: true }, GET, [
  ...HEAD,
  VERSION,
  'Sec-WebSocket-Extensions: foo',
  'Sec-WebSocket-Extensions: permessage-deflate',
])
// Whether that is read as frames is for node:http to say.
head('a body', {}, GET, [...HEAD, VERSION, 'Content-Length: 5'], 'hello')

for (const [path, target] of [
  ['/x', 'http://a/x'],
  ['/', '/?x=/'],
  ['/x?y=1', '/x?y=1'],
  ['/x', '/x#y'],
  ['/a b', '/a%20b'],
  ['/x', '//x'],
  ['*', '*'],
  ['', '/any'],
] as const) {
  head(`the path '${path}' and the target ${target}`, { path }, `GET ${target} HTTP/1.1`, [...HEAD, VERSION])
}
for (const first of ['PUT / HTTP/1.1', 'OPTIONS / HTTP/1.1', 'HEAD / HTTP/1.1', 'GET / HTTP/1.0']) {
  head(`an upgrade by ${first}`, {}, first, [...HEAD, VERSION, 'Content-Length: 0'])
}

const SETTINGS: readonly object[] = [
  {},
  { serverMaxWindowBits: 9 },
  { clientMaxWindowBits: 10 },
  { clientMaxWindowBits: false },
  { serverMaxWindowBits: false },
  { serverMaxWindowBits: 20 },
  { serverNoContextTakeover: true },
  { serverNoContextTakeover: false },
  { clientNoContextTakeover: true },
  { clientNoContextTakeover: false },
  { threshold: -1, concurrencyLimit: 0 },
]
const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; server_max_window_bits=9',
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  'permessage-deflate; client_max_window_bits=9, permessage-deflate',
  'permessage-deflate; server_max_window_bits="10"',
  'permessage-deflate; server_max_window_bits=10; server_max_window_bits=10',
]
for (const perMessageDeflate of SETTINGS) {
  for (const offer of OFFERS) {
    const lines = [...HEAD, VERSION, `Sec-WebSocket-Extensions: ${offer}`]
    head(`the offer ${offer} to ${JSON.stringify(perMessageDeflate)}`, { perMessageDeflate }, GET, lines)
  }
}
